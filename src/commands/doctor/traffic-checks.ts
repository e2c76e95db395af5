// Do webhooks come, or does reconciliation find everything? And which secrets sign what comes?
import type { DeliveryKind } from '../../delivery.js'
import type { Mark } from '../../store/store.js'
import type { Survey } from '../../store/survey.js'
import { running } from '../status-verdict.js'
import { ago, plural } from '../words.js'
import { type Finding, failed, ok, skipped, Unmet, warning } from './finding.js'
import { dayMs, type Stage } from './stage.js'

/** What was missed while no serve ran is found soon after one starts, and says nothing about webhooks. */
const catchUpMs = 5 * 60_000

async function openBooks(stage: Stage) {
  const survey = await stage.survey()
  const store = await stage.look()
  const startedAt = Math.min(...running(survey, stage.now).map((process) => process.startedAt))
  const settled = Number.isFinite(startedAt) ? startedAt + catchUpMs : 0
  const receivedOf = (kind: DeliveryKind) =>
    survey.sheets.filter((sheet) => sheet.kind === kind).reduce((sum, { received }) => sum + received, 0)
  return { survey, store, since: Math.max(settled, stage.now - dayMs), receivedOf }
}

const newestOf = ({ marks }: Survey, names: readonly string[]): Mark | undefined =>
  names.flatMap((name) => marks[name] ?? []).sort((a, b) => b.at - a.at)[0]

export async function checkTextWebhooks(stage: Stage): Promise<readonly Finding[]> {
  const id = 'twilio-webhooks'
  const { survey, store, since, receivedOf } = await openBooks(stage)
  const received = receivedOf('inbound-sms')
  const { count } = await store.recovered('inbound-sms', since)
  if (count === 0) {
    const at = survey.lastAt['inbound-sms']
    return [at === undefined ? skipped(id, 'no text has come yet') : ok(id, `last text ${ago(stage.now - at)}`)]
  }
  const all = count >= received
  const trouble = {
    what: `${plural(count, 'text')} of ${received} came by reconciliation alone`,
    why: 'they are minutes late for the agents',
    fix: 'mend what else is marked here; then look into Twilio’s Monitor › Logs › Errors for 11200 and its kin',
    who: 'twilio',
  } as const
  return [all ? failed(id, trouble) : warning(id, trouble)]
}

const replied = 'topic:conversation.admin.replied'
const anyTopic = (survey: Survey) => Object.keys(survey.marks).filter((name) => name.startsWith('topic:'))

const hub = 'Developer Hub › Configure › Webhooks'

export async function checkSubscription(stage: Stage): Promise<readonly Finding[]> {
  const id = 'intercom-subscription'
  const { survey, store, since, receivedOf } = await openBooks(stage)
  const told = newestOf(survey, anyTopic(survey))
  const unsigned = newestOf(survey, ['hub-unsigned'])
  if (unsigned !== undefined && unsigned.at > (told?.at ?? 0)) {
    return [
      failed(id, {
        what: `Intercom’s last notification, ${ago(stage.now - unsigned.at)}, was signed with another client secret`,
        why: 'each is refused at the door; after seven days of that Intercom stops sending',
        fix: 'copy the client secret of the app that has the webhooks (Developer Hub › Basic Information), set INTERCOM_CLIENT_SECRET, start serve anew',
        who: 'machine',
      }),
    ]
  }
  const last = survey.marks[replied]
  const silent = Math.max(since, (last?.at ?? 0) + 1)
  const missed = await store.recovered('agent-reply', silent)
  const why = 'replies reach the customer minutes late'
  const when = last === undefined ? 'ever' : `since ${ago(stage.now - last.at)}`
  if (missed.count > 0) {
    return [
      failed(id, {
        what: `${plural(missed.count, 'reply', 'replies')} came by reconciliation alone, and no webhook brought one ${when}`,
        why: `${why}; the subscription lacks the topic conversation.admin.replied, points elsewhere, or was suspended after errors`,
        fix: `${hub}: the URL is ${await stage.need('publicUrl')}/webhooks/intercom, the topic conversation.admin.replied is ticked, and it is set live; sms-bridge init proves it`,
        who: 'intercom',
      }),
    ]
  }
  const late = await store.recovered('agent-reply', since)
  if (late.count > 0) {
    return [
      warning(id, {
        what: `${plural(late.count, 'reply', 'replies')} of ${receivedOf('agent-reply')} came by reconciliation alone`,
        why,
        fix: `${hub}: look at the deliveries that failed`,
        who: 'intercom',
      }),
    ]
  }
  if (last !== undefined) return [ok(id, `last told of a reply ${ago(stage.now - last.at)}`)]
  return [
    warning(id, {
      what: 'Intercom has not told of a reply yet, so nothing shows that it would',
      why: `without the topic conversation.admin.replied ${why}`,
      fix: 'sms-bridge init causes one on a throw-away conversation and waits for it; or wait for the first reply',
      who: 'intercom',
    }),
  ]
}

export async function checkTokens(stage: Stage): Promise<readonly Finding[]> {
  const id = 'token-rotation'
  const tokens = await stage.need('twilioAuthToken')
  const survey = await stage.survey().catch(() => undefined)
  if (survey === undefined && tokens.length === 1) throw new Unmet('what signs is noted in the store: see store')
  const signed = survey && newestOf(survey, ['twilio-signed'])
  const unsigned = survey && newestOf(survey, ['twilio-unsigned'])
  if (unsigned !== undefined && unsigned.at > (signed?.at ?? 0)) {
    return [
      warning(id, {
        what: `the last form at the door, ${ago(stage.now - unsigned.at)}, was signed with no auth token that is set here`,
        why: 'if Twilio sent it, the token was rotated and webhooks are refused; anybody else may have sent it as well',
        fix: 'if the token was promoted in the console: export TWILIO_AUTH_TOKEN=NEW,OLD and start serve anew',
        who: 'machine',
      }),
    ]
  }
  if (tokens.length === 1) return [ok(id, 'one token, no rotation under way')]
  return [underWay(id, tokens.length, signed, stage.now)]
}

function underWay(id: string, count: number, signed: Mark | undefined, now: number): Finding {
  const token = tokenOf(signed, count)
  const base = { why: 'a token that is no longer needed is one more that can leak', who: 'machine' } as const
  if (signed === undefined || token === undefined) {
    return warning(id, {
      ...base,
      what: `a rotation is under way (${count} tokens), and nothing has been signed since`,
      fix: 'once a text has come type sms-bridge doctor again: it tells which token Twilio signs with',
    })
  }
  const when = ago(now - signed.at)
  if (token === 0) {
    return warning(id, {
      ...base,
      what: `the rotation is done: Twilio signs with the first of ${count} tokens (${when})`,
      fix: 'take the others out of TWILIO_AUTH_TOKEN and start serve anew',
    })
  }
  return warning(id, {
    ...base,
    what: `a rotation is under way: Twilio still signs with token ${token + 1} of ${count} (${when})`,
    fix: 'Console › API keys & tokens: promote the new token; nothing is lost meanwhile, both are accepted',
    who: 'twilio',
  })
}

/** As the door writes it; of another number of tokens it is about settings of before. */
function tokenOf(mark: Mark | undefined, count: number): number | undefined {
  const { token, of } = (mark?.value ?? {}) as { token?: unknown; of?: unknown } // an object, as the door writes it
  return typeof token === 'number' && of === count ? token : undefined
}
