import { spawn } from 'node:child_process'
import type { Environment } from '../../cli/io.js'

/** Opens a page in the person's browser, where there is one. */
export function openPage(url: string, { DISPLAY, WAYLAND_DISPLAY, PATH, HOME }: Environment): void {
  const hasDesktop = Boolean(DISPLAY || WAYLAND_DISPLAY)
  const openers: Readonly<Record<string, string | undefined>> = {
    darwin: 'open',
    linux: hasDesktop ? 'xdg-open' : undefined,
  }
  const opener = openers[process.platform]
  if (opener === undefined) return
  const child = spawn(opener, [url], { stdio: 'ignore', detached: true, env: { PATH, HOME, DISPLAY, WAYLAND_DISPLAY } })
  // Without a browser there is the address to click on.
  child.on('error', () => {})
  child.unref()
}
