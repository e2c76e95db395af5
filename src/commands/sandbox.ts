import { constants } from 'node:fs'
import { access, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Context } from '../cli/context.js'
import { type ExitCode, exitCodes } from '../cli/exit-codes.js'
import { loadHoursConfig } from '../config/load.js'
import type { DeliveryKind } from '../delivery.js'
import type { LedgerFeed, LedgerRow } from '../emulators/page/types.js'
import { UserError } from '../errors.js'
import type { Log } from '../log.js'
import type { DeliverySummary, Store } from '../store/store.js'
import { type StoryStep, tellStory } from './sandbox-story.js'
import { startWorld } from './sandbox-world.js'
import { aborted } from './serve.js'

export interface SandboxOptions {
  readonly keep: string | undefined
  readonly port: number | undefined
  readonly script: boolean
  readonly json: boolean
}

const storeFile = 'sandbox.sqlite'
/** The page shows the first 200. */
const ledgerLength = 200
const quiet: Log = { info: () => {}, warn: () => {}, error: () => {} }

/** The whole product on this machine, without any account. */
export async function sandbox(context: Context, options: SandboxOptions): Promise<ExitCode> {
  const stopping = context.stopSignal()
  const folder = await openFolder(context, options.keep)
  try {
    return options.script ? await script(context, folder, options) : await page(context, folder, options, stopping)
  } finally {
    if (options.keep === undefined) await rm(folder, { recursive: true, force: true })
  }
}

async function openFolder({ io }: Context, keep: string | undefined): Promise<string> {
  if (keep === undefined) return mkdtemp(join(tmpdir(), 'sms-bridge-sandbox-'))
  const folder = resolve(keep)
  try {
    // Not recursive: in some folders (/proc) Node never comes back from that.
    await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    await access(folder, constants.W_OK)
    const files = await readdir(folder)
    if (files.length > 0 && !files.includes(storeFile)) {
      const yes = await io.confirm(
        `${folder} holds other files. Keep the sandbox's store there too?`,
        '--keep another-folder',
      )
      if (!yes)
        throw new UserError(`nothing was started: choose another folder with --keep`, {
          exitCode: exitCodes.interrupted,
        })
    }
    return folder
  } catch (error) {
    // A Ctrl-C at the question is no fault of the folder's.
    if (error instanceof UserError || (error instanceof Error && error.name === 'ExitPromptError')) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new UserError(`--keep ${keep} cannot be used: ${why}\nName a folder you can write to, or leave --keep out`)
  }
}

async function page(
  context: Context,
  folder: string,
  options: SandboxOptions,
  stopping: AbortSignal,
): Promise<ExitCode> {
  const { clock, io } = context
  const { startSandboxPage } = await import('../emulators/page/server.js')
  const hours = await loadHoursConfig({ ...context.given, profile: {} })
  const spinner = await io.spin('Starting a local Twilio, a local Intercom and the bridge between them…')
  const listeners = new Set<() => void>()
  const onAttempt = () => {
    for (const listener of listeners) listener()
  }
  const world = await startWorld({ storeUrl: `sqlite:${join(folder, storeFile)}`, clock, log: quiet, hours, onAttempt })
  try {
    const { twilio, intercom, store, publicUrl } = world
    const ledger = createFeed(store, listeners)
    const shown = await startSandboxPage({
      twilio,
      intercom,
      ledger,
      bridgeUrl: publicUrl,
      ...(options.port !== undefined && { port: options.port }),
    }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') throw error
      throw new UserError(
        `port ${options.port} is taken by another program.\nChoose another with --port, or leave it out`,
      )
    })
    spinner.stop('The sandbox is running.')
    io.out(`Open ${shown.url}`)
    io.err(
      options.keep === undefined
        ? 'Everything is forgotten when it stops.'
        : `The bridge's store is kept in ${folder}; the local vendors start empty each time.`,
    )
    io.err('Stop it with Ctrl-C.')
    await aborted(stopping)
    await shown.stop()
  } finally {
    spinner.stop()
    await world.stop()
  }
  return exitCodes.ok
}

function createFeed(store: Store, listeners: Set<() => void>): LedgerFeed {
  return {
    list: async () => (await store.listDeliveries({ limit: ledgerLength })).map(toRow),
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

const toPhone: ReadonlySet<DeliveryKind> = new Set(['agent-reply', 'away-text'])

function toRow(delivery: DeliverySummary): LedgerRow {
  const { id, kind, state, lane, attempts, receivedAt, settledAt, reason, fault } = delivery
  const [, , theirs = ''] = lane.split(':')
  const out = toPhone.has(kind)
  return {
    id: `d_${id}`,
    at: receivedAt,
    direction: out ? 'out' : 'in',
    kind,
    number: theirs,
    state,
    attempts,
    note: state === 'delivered' ? (out ? 'handed to Twilio' : '') : (fault?.message ?? reason ?? ''),
    hopMs: settledAt === undefined ? null : settledAt - receivedAt,
  }
}

async function script(context: Context, folder: string, { json }: SandboxOptions): Promise<ExitCode> {
  const { clock, io } = context
  const colour = await io.colour()
  const world = await startWorld({ storeUrl: `sqlite:${join(folder, storeFile)}`, clock, log: quiet })
  const steps: StoryStep[] = []
  try {
    for await (const step of tellStory(world, clock)) {
      steps.push(step)
      const mark = step.ok ? colour.green('ok  ') : colour.red('FAIL')
      if (!json)
        io.out(`${mark} ${`${step.ms} ms`.padStart(8)}  ${step.what}\n${' '.repeat(15)}${colour.dim(step.seen)}`)
      if (!step.ok) break
    }
  } finally {
    await world.stop()
  }
  const ok = steps.every((step) => step.ok)
  const hops = { sms_to_inbox_ms: steps[0]?.ms ?? null, reply_to_phone_ms: steps[2]?.ms ?? null }
  if (json) io.out(JSON.stringify({ schema_version: 1, ok, ...hops, steps }, null, 2))
  else if (ok)
    io.out(`Both ways hold: text to inbox ${hops.sms_to_inbox_ms} ms, reply to phone ${hops.reply_to_phone_ms} ms.`)
  else io.out(`This step did not hold: ${steps.at(-1)?.what}`)
  return ok ? exitCodes.ok : exitCodes.unexpected
}
