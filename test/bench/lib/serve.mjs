// `sms-bridge serve` as its own process, configured by its environment alone.
import { spawn } from 'node:child_process'
import { openSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { account } from './account.mjs'
import { closedPort, end, keep } from './children.mjs'

export const bin = fileURLToPath(new URL('../../../bin/sms-bridge.js', import.meta.url))

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Starts it and resolves when it listens. Without `twins` both vendors are closed ports.
 * `wrap` is put in front of the command line (strace), `nodeArgs` behind `node`.
 */
export async function startServe({ folder, store, twins, env = {}, wrap = [], nodeArgs = [], port: wanted }) {
  const port = wanted ?? (await closedPort())
  const nowhere = `http://127.0.0.1:${await closedPort()}`
  const log = join(folder, `serve-${port}.log`)
  const [command, ...args] = [...wrap, process.execPath, ...nodeArgs, bin, 'serve']
  const output = openSync(log, 'a')
  const child = keep(
    spawn(command, args, {
      stdio: ['ignore', output, output],
      env: {
        PATH: process.env.PATH,
        SMS_BRIDGE_HOME: folder,
        SMS_BRIDGE_PUBLIC_URL: `http://127.0.0.1:${port}`,
        SMS_BRIDGE_PORT: String(port),
        SMS_BRIDGE_STORE: `sqlite:${store}`,
        SMS_BRIDGE_LOG: 'json',
        TWILIO_ACCOUNT_SID: account.accountSid,
        TWILIO_AUTH_TOKEN: account.authToken,
        TWILIO_API_BASE_URL: twins?.twilioUrl ?? nowhere,
        INTERCOM_ACCESS_TOKEN: account.accessToken,
        INTERCOM_CLIENT_SECRET: account.clientSecret,
        INTERCOM_API_BASE_URL: twins?.intercomUrl ?? nowhere,
        ...env,
      },
    }),
  )
  const url = `http://127.0.0.1:${port}`
  const deadline = Date.now() + 30_000
  while (!(await listens(port))) {
    if (child.exitCode !== null || Date.now() > deadline) {
      throw new Error(`serve does not listen:\n${readFileSync(log, 'utf8').slice(-2000)}`)
    }
    await sleep(20)
  }
  const metrics = async () => readMetrics(await (await fetch(`${url}/metrics`)).text())
  return {
    port,
    url,
    pid: child.pid,
    metrics,
    stop: () => end(child),
    /** Resolves when nothing waits any more; true unless `maxMs` is over. */
    async idle(maxMs) {
      const giveUpAt = Date.now() + maxMs
      while ((await metrics()).sum('sms_bridge_waiting') > 0) {
        if (Date.now() > giveUpAt) return false
        await sleep(200)
      }
      return true
    },
    /** Resolves when a shore is paused: the relay rests. */
    async rests() {
      while ((await fetch(`${url}/readyz`)).status !== 503) await sleep(100)
    },
  }
}

function listens(port) {
  return new Promise((resolve) => {
    const probe = connect({ port, host: '127.0.0.1' })
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}

function readMetrics(text) {
  const samples = [...text.matchAll(/^(\w+)(\{[^}]*\})? (\S+)$/gm)].map(([, name, labels = '', value]) => ({
    name,
    labels,
    value: Number(value),
  }))
  return {
    /** Over all series of a name whose labels hold this text. */
    sum: (name, labels = '') =>
      samples
        .filter((sample) => sample.name === name && sample.labels.includes(labels))
        .reduce((total, { value }) => total + value, 0),
  }
}

/** Resident memory in MB, now and at its highest; undefined where the system does not tell. */
export function memoryOf(pid) {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8')
  const read = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024
  return { now: read('VmRSS'), highest: read('VmHWM') }
}
