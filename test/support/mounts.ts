// File systems of a child process's own, gone with it: one that is full at will, one that cannot be written.
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'

const unshare = ['unshare', process.getuid?.() === 0 ? '-m' : '-rm']

export const mountFailure: string | undefined = tryMount()

function tryMount(): string | undefined {
  const [command = '', ...args] = [...unshare, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' })
  if (status === 0) return undefined
  const reason = `nothing can be mounted here: ${(error?.message ?? stderr).trim()}`
  process.stderr.write(`\n*** SKIPPED: tests of full and read-only disks. ${reason} ***\n`)
  return reason
}

/** Runs a command with a small, empty disk at this folder. */
export function onSmallDisk(folder: string, megabytes: number): string[] {
  const script = `mount -t tmpfs -o size=${megabytes}m tmpfs "$0" && exec "$@"`
  return [...unshare, 'sh', '-c', script, folder]
}

/** Runs a command that sees this folder, as it is, on a disk that cannot be written. */
export function onReadOnlyDisk(folder: string): string[] {
  const script = 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"'
  return [...unshare, 'sh', '-c', script, folder]
}

/** Fills the disk that a process sees at this folder; returns what empties it again. */
export function fillDisk(pid: number, folder: string, megabytes: number): () => void {
  const filler = `/proc/${pid}/root${folder}/filler`
  try {
    writeFileSync(filler, Buffer.alloc(megabytes * 2 ** 20, 1))
    throw new Error('there was room for all of it')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error // fs throws no other
  }
  return () => rmSync(filler)
}
