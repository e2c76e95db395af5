import type { Context } from '../../cli/context.js'
import { type ExitCode, exitCodes } from '../../cli/exit-codes.js'
import { describeError } from '../../errors.js'
import { running } from '../status-verdict.js'
import { ago } from '../words.js'
import { expectSystemd, type Machine, type Service, serviceNamed, thisMachine } from './machine.js'

export interface ServiceStatusOptions {
  readonly name: string
  readonly json: boolean
}

/** `alive`: whether `status` would say that a bridge runs. */
type Beat =
  | { readonly at: number | undefined; readonly alive: boolean }
  | { readonly unknown: string; readonly next: string | null }

const properties = [
  'LoadState',
  'ActiveState',
  'SubState',
  'Result',
  'NRestarts',
  'ExecMainStatus',
  'UnitFileState',
] as const
type Shown = Readonly<Record<(typeof properties)[number], string>>

/** What systemd says of the service, and what its store says: exit 0, 3 or 4. */
export async function serviceStatus(
  context: Context,
  { name, json }: ServiceStatusOptions,
  machine: Machine = thisMachine,
): Promise<ExitCode> {
  const { io, clock } = context
  const service = serviceNamed(name, machine)
  await expectSystemd(machine, 'How the bridge itself is: sms-bridge status')
  const shown = await show(machine, name)
  const beat = await lastBeat(context, service, machine)
  const { state, words, next } = judge(service, shown, beat, clock.now())
  if (json) {
    const told = 'unknown' in beat ? null : (beat.at ?? null)
    io.out(
      JSON.stringify({ schema_version: 1, name, state, words, next, systemd: shown, last_heartbeat_at: told }, null, 2),
    )
  } else {
    io.out(`${name}  ${state.toUpperCase()}  ${words}`)
    if (next !== null) io.out(`Next: ${next}`)
  }
  return { healthy: exitCodes.ok, running: exitCodes.ok, degraded: exitCodes.degraded, down: exitCodes.down }[state]
}

async function show(machine: Machine, name: string): Promise<Shown> {
  const { stdout } = await machine.run('systemctl', [
    'show',
    `${name}.service`,
    ...properties.map((one) => `--property=${one}`),
  ])
  const lines = new Map(
    stdout.split('\n').map((line): [string, string] => {
      const cut = line.indexOf('=')
      return [line.slice(0, cut), line.slice(cut + 1)]
    }),
  )
  return Object.fromEntries(properties.map((one) => [one, lines.get(one) ?? ''])) as Shown // every property, as just listed
}

/** From the store in the service's own folder, which only root and its user may read. */
async function lastBeat(context: Context, { home, flag }: Service, { root, uid }: Machine): Promise<Beat> {
  try {
    const look = await context.look(root + home)
    try {
      const now = context.clock.now()
      const survey = await look.survey({ since: now, now })
      const beats = survey.processes.map(({ lastBeatAt }) => lastBeatAt)
      return { at: beats.length === 0 ? undefined : Math.max(...beats), alive: running(survey, now).length > 0 }
    } finally {
      await look.close()
    }
  } catch (error) {
    if (uid !== 0 && describeError(error).includes('EACCES'))
      return { unknown: `only root may read ${home}`, next: `sudo sms-bridge service status${flag}` }
    return { unknown: describeError(error), next: null }
  }
}

interface Judged {
  /** `running`: systemd says so, and no heartbeat could be looked for. */
  readonly state: 'healthy' | 'running' | 'degraded' | 'down'
  readonly words: string
  readonly next: string | null
}

function judge({ name, flag }: Service, shown: Shown, beat: Beat, now: number): Judged {
  const { LoadState, ActiveState, SubState, Result, NRestarts, ExecMainStatus, UnitFileState } = shown
  if (LoadState === '') return { state: 'down', words: 'systemd does not answer', next: 'systemctl status' }
  if (LoadState !== 'loaded') {
    return { state: 'down', words: 'not installed', next: `sudo sms-bridge service install${flag}` }
  }
  const logs = `journalctl -u ${name} -n 30`
  if (ActiveState !== 'active') {
    const next = ActiveState === 'inactive' ? `sudo systemctl start ${name}` : logs
    // Between two tries it does not run, whatever systemd calls that.
    const again = SubState === 'auto-restart' ? '; it is started again within seconds' : ''
    const isStarting = ActiveState === 'activating' && again === ''
    const words = isStarting
      ? 'starting: a large store may be brought to this version'
      : `not running (${ActiveState})${endedBy(Result, ExecMainStatus)}${again}`
    return { state: isStarting ? 'degraded' : 'down', words, next }
  }
  const times = NRestarts === '0' || NRestarts === '' ? '' : `, started anew ${NRestarts} times since it was enabled`
  const seen = inWords(beat, now)
  if ('alive' in beat && !beat.alive) {
    return { state: 'degraded', words: `running, but ${seen}${times}`, next: logs }
  }
  if (UnitFileState !== 'enabled') {
    const words = `running, ${seen}${times}, but it does not start with the machine`
    return { state: 'degraded', words, next: `sudo systemctl enable ${name}` }
  }
  if ('unknown' in beat) {
    return { state: 'running', words: `by systemd alone${times}; ${seen}: ${beat.unknown}`, next: beat.next }
  }
  return { state: 'healthy', words: `running, ${seen}${times}`, next: null }
}

function inWords(beat: Beat, now: number): string {
  if ('unknown' in beat) return 'heartbeat not seen'
  return beat.at === undefined ? 'no heartbeat' : `heartbeat ${ago(now - beat.at)}`
}

const results: Readonly<Record<string, string>> = {
  watchdog: 'it gave no sign of life and was ended',
  'oom-kill': 'the machine ran out of memory',
  timeout: 'it took too long to start or to stop',
  signal: 'it was killed',
  'core-dump': 'it crashed',
}

/** 203 is systemd's own: systemd.exec(5). */
const exits: Readonly<Record<string, string>> = {
  [exitCodes.usage]: ': a setting is missing or wrong, or its port is taken',
  [exitCodes.down]: ': its store does not open',
  203: ': Node or sms-bridge is not where it was, install the service again',
}

function endedBy(result: string, status: string): string {
  if (result === '' || result === 'success') return ''
  return `: ${results[result] ?? `it ended with ${status}${exits[status] ?? ''}`}`
}
