// Where Twilio sends the texts of each number, against where it should.
import type { AccountNumber } from '../../twilio/numbers.js'
import { readUndo, undoPath } from '../setup/undo-file.js'
import {
  type Cause,
  type Comparison,
  comesHere,
  compareNumber,
  shownUrl,
  whereFallback,
  words,
} from '../setup/webhooks.js'
import { type Finding, failed, ok, type Repair, skipped, warning } from './finding.js'
import type { Stage } from './stage.js'

export async function checkWebhooks(stage: Stage): Promise<readonly Finding[]> {
  const publicUrl = await stage.need('publicUrl')
  const numbers = await stage.numbers()
  const expected = await expectedNumbers(stage, numbers, publicUrl)
  const findings = numbers.flatMap((number) => {
    const comparison = compareNumber(number, publicUrl)
    const repair = repairOf(comparison, number, numbers)
    return expected.has(number.number)
      ? [judgeWebhook(number, comparison, repair), judgeFallback(number, { comparison, repair, publicUrl })]
      : [notOurs(number, comparison, repair)]
  })
  const gone = [...expected].filter((number) => numbers.every((one) => one.number !== number))
  return [
    ...(expected.size === 0 ? [noneAtAll(numbers)] : []),
    ...findings,
    ...gone.map((number) =>
      failed(`webhook:${number}`, {
        what: `${number} is no longer in this Twilio account`,
        why: 'texts to it do not come here any more, and nothing can be sent from it',
        fix: 'take it out of SMS_BRIDGE_TEAMS if it was given up; else check TWILIO_ACCOUNT_SID',
        who: 'machine',
      }),
    ),
  ]
}

/** Those that come here now, or that something says should: a team, an earlier init, a text that came. */
export async function expectedNumbers(
  stage: Stage,
  numbers: readonly AccountNumber[],
  publicUrl: string,
): Promise<ReadonlySet<string>> {
  const { teams = new Map<string, string>() } = (await stage.settings()).values
  const survey = await stage.survey().catch(() => undefined)
  const undo = await readUndo(undoPath(stage.places.profile)).catch(() => [])
  const changed = new Set(undo.map(({ resource }) => resource.sid))
  const owned = numbers
    .filter((number) => {
      const { state } = compareNumber(number, publicUrl)
      return (
        state === 'ours' ||
        state === 'differs' ||
        [number.sid, number.service?.sid ?? ''].some((sid) => changed.has(sid))
      )
    })
    .map(({ number }) => number)
  const known = survey?.numbers.filter(({ state }) => state === 'ours' || state === 'wrong-method') ?? []
  return new Set<string>([
    ...owned,
    ...[...teams.keys()].filter((number) => number !== '*'),
    ...known.map(({ number }) => number),
    // Of numbers that were given up long ago texts are in the books all the same.
    ...(survey?.texted ?? []).filter((number) => numbers.some((one) => one.number === number)),
  ])
}

const harm: Readonly<Record<Cause, string>> = {
  'not-set': 'texts to this number never reach you; what came is found by reconciliation only once it is set',
  'drops-inbound': 'texts to this number never reach you, and are in no list where they could be found',
  'other-url': 'texts to this number go to somebody else, and agents never see them',
  'wrong-method': 'each text is refused at the door and comes minutes late, by reconciliation',
  'no-retries': 'a text that meets a restart of the bridge comes minutes late, by reconciliation',
  'no-fallback': 'when all tries fail Twilio gives the text up, and it comes minutes late, by reconciliation',
  'fallback-method': 'when all tries fail the last one is refused at the door, and the text comes minutes late',
}

function judgeWebhook({ number }: AccountNumber, comparison: Comparison, repair: Repair): Finding {
  const id = `webhook:${number}`
  const { cause, detail, url } = comparison
  if (cause === undefined || cause === 'no-fallback' || cause === 'fallback-method') return ok(id, shownUrl(url ?? ''))
  const trouble = { what: detail, why: harm[cause], fix: '', who: 'twilio', repair } as const
  return cause === 'no-retries' ? warning(id, trouble) : failed(id, trouble)
}

function judgeFallback(
  { number, inbound }: AccountNumber,
  {
    comparison,
    repair,
    publicUrl,
  }: { readonly comparison: Comparison; readonly repair: Repair; readonly publicUrl: string },
): Finding {
  const id = `fallback:${number}`
  if (!comesHere(comparison)) return skipped(id, `its texts do not come here: see webhook:${number}`)
  const url = shownUrl(inbound.fallbackUrl ?? '')
  const where = whereFallback(inbound, publicUrl)
  if (where === 'here') return ok(id, url)
  if (where === 'elsewhere') {
    // No vendor documents a request that such an address would not take for a text (twilio.md §3).
    const why = 'not called from here: what answers there would take a call for a text, and may reply to somebody'
    return skipped(id, `${url}, by ${inbound.fallbackMethod}, is not this bridge’s, and is ${why}`)
  }
  const cause = where === 'nowhere' ? 'no-fallback' : 'fallback-method'
  return warning(id, { what: words[cause], why: harm[cause], fix: '', who: 'twilio', repair })
}

function repairOf({ changes, state }: Comparison, { service }: AccountNumber, all: readonly AccountNumber[]): Repair {
  const ofService = changes.some(({ resource }) => resource.kind === 'service')
  const moves = ofService ? all.filter((one) => one.service?.sid === service?.sid).map(({ number }) => number) : []
  return { kind: 'webhooks', changes, moves, foreign: state === 'foreign' }
}

/** An account may have numbers that are none of the bridge's business. */
function notOurs({ number }: AccountNumber, comparison: Comparison, repair: Repair): Finding {
  const id = `webhook:${number}`
  const advice = `nothing says that they should come here. If they should: sms-bridge doctor --fix ${id}`
  return skipped(id, `${comparison.detail}; ${advice}`, repair)
}

function noneAtAll(numbers: readonly AccountNumber[]): Finding {
  return failed('webhooks', {
    what: numbers.length === 0 ? 'this Twilio account has no number' : 'no number of the account sends its texts here',
    why: 'no text reaches you',
    fix: numbers.length === 0 ? 'buy a number in Twilio’s console, then sms-bridge init' : 'sms-bridge init',
    who: 'machine',
  })
}
