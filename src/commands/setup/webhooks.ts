// What a number's webhook should be, what it is, and what has to be written so that its texts come here. Pure.
import type { AccountNumber, InboundSettings, MessagingService } from '../../twilio/numbers.js'
import type { WebhookResource, WebhookSettings } from '../../twilio/webhook-settings.js'

export interface Webhooks {
  readonly sms: string
  readonly fallback: string
  readonly status: string
  readonly intercom: string
}

/**
 * Twilio gives a webhook 15 s in all and by default tries it again only when no connection was made. So: five more tries
 * whatever went wrong, and none that may use up the time of the others (twilio.md §3).
 */
const overrides = '#ct=3000&rt=4000&rc=5&rp=all'

/**
 * The fallback is asked at once when all that failed, with the same form. Without anything hosted elsewhere the best it
 * can be is the same door: one more try, after a restart for example. A text told twice is one message.
 */
export function desiredWebhooks({ publicUrl }: { readonly publicUrl: string }): Webhooks {
  const sms = `${publicUrl}/webhooks/twilio/sms`
  return {
    sms: `${sms}${overrides}`,
    fallback: sms,
    status: `${publicUrl}/webhooks/twilio/status`,
    intercom: `${publicUrl}/webhooks/intercom`,
  }
}

export type Cause =
  /** No URL, or the vendor's demo that a fresh number has. */
  | 'not-set'
  /** Its Messaging Service has no inbound URL: its texts are thrown away. */
  | 'drops-inbound'
  | 'other-url'
  | 'wrong-method'
  /** Twilio would not try again. */
  | 'no-retries'
  | 'no-fallback'
  /** The fallback is our own door, knocked at by GET. */
  | 'fallback-method'

export interface WebhookChange {
  readonly resource: WebhookResource
  /** `+15550100100`, `Messaging Service "Support"`. */
  readonly label: string
  readonly before: WebhookSettings
  readonly after: WebhookSettings
}

export interface Comparison {
  /** `ours`: nothing to do. `unset`: nobody's. `foreign`: somebody else's. `differs`: ours, but not quite right. */
  readonly state: 'ours' | 'unset' | 'foreign' | 'differs'
  readonly cause?: Cause
  /** Whose settings decide. */
  readonly via: AccountNumber['via']
  /** Where its texts go now. */
  readonly url: string | undefined
  /** What is wrong, in words that follow the number; '' when nothing is. */
  readonly detail: string
  /** What to write; empty when nothing is to be done. */
  readonly changes: readonly WebhookChange[]
}

/** What a fresh number answers with until someone sets its URL. */
const demoUrl = 'https://demo.twilio.com/welcome/sms/reply'

export function compareNumber(number: AccountNumber, publicUrl: string): Comparison {
  const { via, inbound } = number
  const cause = causeOf(number, publicUrl)
  const base = { via, url: inbound.url }
  // An application of ours would do as well, but a number that names one hides what its own settings say.
  if (cause === undefined) return { ...base, state: 'ours', detail: '', changes: [] }
  const state =
    cause === 'other-url' ? 'foreign' : cause === 'not-set' || cause === 'drops-inbound' ? 'unset' : 'differs'
  return { ...base, state, cause, detail: detailOf(number, cause), changes: changesOf(number, publicUrl) }
}

/** Its texts reach this bridge, well or badly. */
export function comesHere({ state }: Pick<Comparison, 'state'>): boolean {
  return state === 'ours' || state === 'differs'
}

function causeOf({ inbound, drops }: AccountNumber, publicUrl: string): Cause | undefined {
  const desired = desiredWebhooks({ publicUrl })
  if (drops) return 'drops-inbound'
  const { url, method } = inbound
  if (url === undefined || addressOf(url) === addressOf(demoUrl)) return 'not-set'
  if (addressOf(url) !== addressOf(desired.sms)) return 'other-url'
  if (method !== 'POST') return 'wrong-method'
  if (!triesAgain(url)) return 'no-retries'
  const fallback = whereFallback(inbound, publicUrl)
  if (fallback === 'nowhere') return 'no-fallback'
  return fallback === 'wrong-method' ? 'fallback-method' : undefined
}

/** What Twilio asks when all tries at the URL failed; `wrong-method`: our own door, which takes POST alone. */
export function whereFallback(
  { fallbackUrl, fallbackMethod }: InboundSettings,
  publicUrl: string,
): 'nowhere' | 'elsewhere' | 'here' | 'wrong-method' {
  if (fallbackUrl === undefined) return 'nowhere'
  if (addressOf(fallbackUrl) !== addressOf(desiredWebhooks({ publicUrl }).fallback)) return 'elsewhere'
  return fallbackMethod === 'POST' ? 'here' : 'wrong-method'
}

/** What is wrong, after the number. */
export const words: Readonly<Record<Cause, string>> = {
  'not-set': 'no URL is set for its texts',
  'drops-inbound': 'has no inbound URL, so its texts are thrown away and in no list',
  'other-url': 'its texts go to',
  'wrong-method': 'its texts come by GET, which the bridge does not take',
  'no-retries': 'Twilio would try only once',
  'no-fallback': 'no fallback URL is set',
  'fallback-method': 'its fallback is asked by GET, which the bridge does not take',
}

function detailOf({ via, service, applicationSid, inbound }: AccountNumber, cause: Cause): string {
  const where = {
    number: '',
    service: service === undefined ? '' : `${nameOf(service)} decides: `,
    application: `the TwiML application ${applicationSid} decides: `,
  }[via]
  if (cause === 'drops-inbound') return `${service === undefined ? 'its service' : nameOf(service)} ${words[cause]}`
  return `${where}${words[cause]}${cause === 'other-url' ? ` ${shownUrl(inbound.url ?? '')}` : ''}`
}

export function nameOf({ name, sid }: MessagingService): string {
  return `Messaging Service ${name === '' ? sid : `"${name}"`}`
}

function changesOf(number: AccountNumber, publicUrl: string): WebhookChange[] {
  const { service, applicationSid } = number
  const usesService = service !== undefined && !service.usesNumbersUrl
  const changes = usesService ? [serviceChange(service, publicUrl)] : [numberChange(number, publicUrl)]
  // An application overrules both; where the service decides, the number's own URLs are left as they are.
  if (usesService && applicationSid !== undefined) {
    const before = settingsOf(number.own, applicationSid)
    changes.push({ ...identityOf(number), before, after: { ...before, applicationSid: '' } })
  }
  return changes.filter(({ before, after }) => changedSettings(before, after).length > 0)
}

function numberChange(number: AccountNumber, publicUrl: string): WebhookChange {
  const identity = identityOf(number)
  const isNumber = identity.resource.kind === 'number'
  return {
    ...identity,
    before: settingsOf(number.own, isNumber ? (number.applicationSid ?? '') : undefined),
    after: wanted(publicUrl, isNumber ? '' : undefined),
  }
}

function serviceChange(service: MessagingService, publicUrl: string): WebhookChange {
  const resource: WebhookResource = { kind: 'service', sid: service.sid }
  return {
    resource,
    label: nameOf(service),
    before: settingsOf(service, undefined),
    after: wanted(publicUrl, undefined),
  }
}

function identityOf({ sid, number, kind }: AccountNumber): Pick<WebhookChange, 'resource' | 'label'> {
  return { resource: { kind: kind === 'short-code' ? 'short-code' : 'number', sid }, label: number }
}

function wanted(publicUrl: string, applicationSid: string | undefined): WebhookSettings {
  const { sms, fallback } = desiredWebhooks({ publicUrl })
  const urls = { url: sms, method: 'POST', fallbackUrl: fallback, fallbackMethod: 'POST' }
  return applicationSid === undefined ? urls : { ...urls, applicationSid }
}

function settingsOf(inbound: InboundSettings, applicationSid: string | undefined): WebhookSettings {
  const { url = '', method, fallbackUrl = '', fallbackMethod } = inbound
  const urls = { url, method, fallbackUrl, fallbackMethod }
  return applicationSid === undefined ? urls : { ...urls, applicationSid }
}

export type SettingKey = keyof WebhookSettings

/** Which settings differ. */
export function changedSettings(before: WebhookSettings, after: WebhookSettings): SettingKey[] {
  const keys: readonly SettingKey[] = ['applicationSid', 'url', 'method', 'fallbackUrl', 'fallbackMethod']
  return keys.filter((key) => (before[key] ?? '') !== (after[key] ?? ''))
}

/** One change for each resource: numbers of one service share it. */
export function mergeChanges(changes: readonly WebhookChange[]): WebhookChange[] {
  return [...new Map(changes.map((change) => [change.resource.sid, change])).values()]
}

/** Without what asks for retries; undefined when it is no URL. */
function addressOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined
  const { origin, pathname, search } = new URL(url)
  return origin + pathname + search
}

/** A URL may carry a password or a key in its query. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return url
  const { protocol, host, pathname, search, hash } = new URL(url)
  return `${protocol}//${host}${pathname}${search === '' ? '' : '?…'}${hash}`
}

function triesAgain(url: string): boolean {
  const given = new URLSearchParams(new URL(url).hash.slice(1))
  const on = (given.get('rp') ?? 'ct').split(',')
  return (
    Number(given.get('rc') ?? 1) > 1 && (on.includes('all') || ['ct', 'rt', '5xx'].every((one) => on.includes(one)))
  )
}
