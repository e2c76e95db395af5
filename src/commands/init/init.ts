// `sms-bridge init`: from two accounts to a bridge that is set up and proven.
import type { Context } from '../../cli/context.js'
import { type ExitCode, exitCodes } from '../../cli/exit-codes.js'
import { loadConfig } from '../../config/load.js'
import { settings } from '../../config/schema.js'
import { shown } from '../../config/shown.js'
import { ConfigError } from '../../errors.js'
import { HalfApplied } from '../setup/apply.js'
import { desiredTopics } from '../setup/topics.js'
import { callUnder } from '../setup/vendors.js'
import type { OpenDoor } from './door.js'
import { hoursStep } from './hours.js'
import { type HubStep, hubStep, notAsked } from './hub.js'
import { intercomStep } from './intercom.js'
import { numbersStep } from './numbers.js'
import { Restart, type UrlStep, urlStep } from './public-url.js'
import { type Outcome, toJson } from './report.js'
import { applyPlan, makePlan, showPlan } from './review.js'
import { createScreen } from './screen.js'
import { type InitOptions, openAnswers, type Session } from './session.js'
import { teamsStep } from './teams.js'
import { threadingStep } from './threading.js'
import { twilioStep } from './twilio.js'
import { undo } from './undo.js'

export async function init(context: Context, options: InitOptions): Promise<ExitCode> {
  const { io } = context
  const stopping = context.stopSignal()
  const session: Session = {
    context,
    options,
    ask: options.json ? undefined : await io.ask(),
    answers: await openAnswers(context, options),
    screen: await createScreen(io, options),
    stopping,
    call: callUnder(stopping),
  }
  const doors: OpenDoor[] = []
  try {
    if (options.undo) return await undo(session)
    if (session.ask === undefined) await expectAll(session)
    return await run(session, doors)
  } catch (error) {
    const isInterrupted = stopping.aborted || isExitPrompt(error)
    if (!isInterrupted || error instanceof HalfApplied) throw error
    io.err('Interrupted. Nothing is left half applied; what was answered is kept: the same command goes on from there.')
    return exitCodes.interrupted
  } finally {
    for (const door of doors) await door.close()
  }
}

/** Ctrl-C at a question reaches us as an error of the prompt's, not as a signal. */
function isExitPrompt(error: unknown): boolean {
  return error instanceof Error && error.name === 'ExitPromptError'
}

/** Nobody can answer: everything that is missing or wrong at once. */
async function expectAll({ answers, options }: Session): Promise<void> {
  const faults: string[] = []
  await loadConfig(answers.sources()).catch((error: unknown) => {
    if (!(error instanceof ConfigError)) throw error
    // OAuth brings it.
    const brought = options.oauthClientId === undefined ? undefined : settings.intercomAccessToken.env
    faults.push(...error.faults.filter((fault) => brought === undefined || !fault.startsWith(brought)))
  })
  if (options.numbers === undefined) faults.push('--numbers is missing: which numbers come here. Type --numbers all')
  if (!options.yes && !options.dryRun)
    faults.push('--yes is missing: nobody can answer here. Type --yes, or --dry-run to look only')
  if (faults.length > 0) throw new ConfigError(faults)
}

async function run(session: Session, doors: OpenDoor[]): Promise<ExitCode> {
  const { screen, options, stopping, context, answers } = session
  const twilio = await twilioStep(session)
  const intercom = await intercomStep(session)
  const numbers = await numbersStep(session, twilio.twilio)
  await teamsStep(session, numbers, intercom.intercom.workspace)
  await threadingStep(session, numbers)
  await hoursStep(session, numbers, intercom.workspace)
  const url = await untilUrl(session, doors)
  stopping.throwIfAborted()

  screen.step(6, 'Review')
  const { publicUrl } = url.config
  const plan = await makePlan(session, numbers, { publicUrl, attributes: intercom.attributes })
  showPlan(session, plan, await twilio.twilio.listNumbers(session.call))
  const outcome: Outcome = { twilio, intercom, url, plan, applied: undefined, hub: notAsked(desiredTopics(url.config)) }
  if (options.dryRun) {
    for (const name of answers.kept()) {
      const text = answers.find(name)?.text
      screen.say(
        `Would keep ${settings[name].env}${text === undefined ? ' no more' : ` = ${shown(name, text)}`}, in the profile`,
      )
    }
    screen.say('Nothing was changed.')
    return finish(context, options, outcome)
  }
  const applied = await applyPlan(session, { plan, twilio, intercom })
  if (applied === undefined) {
    screen.say('Nothing was changed at Twilio or Intercom. Your answers are kept: sms-bridge init goes on from here.')
    return finish(context, options, outcome)
  }
  const hub = await topicsOf(session, url, intercom)
  const code = finish(context, options, { ...outcome, applied, hub })
  const which = numbers.length > 1 ? ` --number ${numbers[0]?.number}` : ''
  screen.say('')
  if (code !== exitCodes.ok)
    screen.say('Not everything is right yet: mend what is marked, then type sms-bridge init again')
  else
    screen.say(
      `Next: sms-bridge serve (one that runs: start it anew)   then   sms-bridge test-e2e --handset YOUR_PHONE${which}`,
    )
  return code
}

async function untilUrl(session: Session, doors: OpenDoor[]): Promise<UrlStep> {
  for (;;) {
    try {
      return await urlStep(session, { opened: (door) => doors.push(door) })
    } catch (error) {
      if (!(error instanceof Restart)) throw error
      for (const door of doors.splice(0)) await door.close()
    }
  }
}

async function topicsOf(
  session: Session,
  { config, door }: UrlStep,
  intercom: Awaited<ReturnType<typeof intercomStep>>,
): Promise<HubStep> {
  if (!session.options.topics || door.store === undefined) return notAsked(desiredTopics(config))
  return hubStep(session, config, { store: door.store, intercom })
}

function finish({ io }: Context, { json }: InitOptions, outcome: Outcome): ExitCode {
  const { intercom, hub, applied } = outcome
  if (json) io.out(JSON.stringify(toJson(outcome), null, 2))
  const lacks = intercom.missing.some(({ needed }) => needed)
  const silent = hub.topics.some(({ needed, provable, state }) => needed && provable && state === 'not-seen')
  const half = (applied?.failures.length ?? 0) > 0
  return lacks || silent || half || hub.wrongSecret ? exitCodes.degraded : exitCodes.ok
}
