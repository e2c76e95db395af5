// This machine's clock against the Date that each vendor's answers carry.
import { type Finding, failed, ok, Unmet, warning } from './finding.js'
import type { Stage } from './stage.js'

/** A vendor tells whole seconds, and an answer takes its way. */
const noticeMs = 10_000
/** Beyond that the bridge no longer trusts that both clocks agree. */
const wrongMs = 60_000

const origins = { us: 'https://api.intercom.io', eu: 'https://api.eu.intercom.io', au: 'https://api.au.intercom.io' }

export async function checkClock(stage: Stage, signal: AbortSignal): Promise<readonly Finding[]> {
  const { values } = await stage.settings()
  const { twilioAccountSid, intercomAccessToken } = values
  const { twilioApiBaseUrl, intercomApiBaseUrl, intercomRegion = 'us' } = values
  const asked = [
    ...(twilioAccountSid === undefined ? [] : [{ name: 'Twilio', url: twilioApiBaseUrl ?? 'https://api.twilio.com' }]),
    ...(intercomAccessToken === undefined
      ? []
      : [{ name: 'Intercom', url: intercomApiBaseUrl ?? origins[intercomRegion] }]),
  ]
  if (asked.length === 0) throw new Unmet('no vendor is set: see settings')
  const skews = await Promise.all(asked.map(async ({ name, url }) => ({ name, ms: await skewOf(stage, url, signal) })))
  return [judgeClock(skews)]
}

/** How far our clock is ahead, ms; undefined when nobody answers. */
async function skewOf({ context: { clock } }: Stage, url: string, signal: AbortSignal): Promise<number | undefined> {
  try {
    const asked = clock.now()
    // Whatever it answers, refusals too, carries the time.
    const response = await fetch(url, { redirect: 'manual', signal })
    const answered = clock.now()
    await response.body?.cancel()
    const theirs = Date.parse(response.headers.get('date') ?? '')
    return Number.isNaN(theirs) ? undefined : (asked + answered) / 2 - (theirs + 500)
  } catch {
    return undefined
  }
}

function judgeClock(skews: readonly { readonly name: string; readonly ms: number | undefined }[]): Finding {
  const id = 'clock'
  const known = skews.flatMap(({ name, ms }) => (ms === undefined ? [] : [{ name, ms }]))
  if (known.length === 0) throw new Unmet('neither vendor answers')
  const worst = Math.max(...known.map(({ ms }) => Math.abs(ms)))
  const what = known.map(({ name, ms }) => `${inWords(ms)} ${name}’s`).join(', ')
  if (worst < noticeMs) return ok(id, what)
  const trouble = {
    what,
    why: 'texts are looked for at the wrong times: what a webhook lost may be found late, and times in Intercom are wrong',
    fix: 'let the machine keep its time: timedatectl set-ntp true',
    who: 'machine',
  } as const
  return worst < wrongMs ? warning(id, trouble) : failed(id, trouble)
}

function inWords(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000)
  if (seconds <= 1) return 'agrees with'
  return `${seconds}s ${ms > 0 ? 'ahead of' : 'behind'}`
}
