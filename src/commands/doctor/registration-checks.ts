// Whether US carriers let the texts of each number through, as far as Twilio's API shows it.

import { countryOf, isPhoneNumber } from '../../phone.js'
import type { Call } from '../../transport.js'
import type { TwilioClient } from '../../twilio/client.js'
import type { AccountNumber } from '../../twilio/numbers.js'
import type { Campaign } from '../../twilio/registrations.js'
import { isRefused } from '../setup/vendors.js'
import { judgeBrands } from './brand-check.js'
import { type Finding, failed, ok, skipped, warning } from './finding.js'
import type { Stage } from './stage.js'
import { expectedNumbers } from './webhook-checks.js'

export async function checkRegistrations(stage: Stage): Promise<readonly Finding[]> {
  const numbers = await stage.numbers()
  const ours = await expectedNumbers(stage, numbers, await stage.need('publicUrl'))
  const asked = numbers.filter(({ number }) => ours.has(number))
  if (asked.length === 0) return [skipped('registration', 'no number of ours: see webhooks')]
  const ask = asking(await stage.twilio(), stage.call)
  return Promise.all([...asked.map((number) => checkNumber(number, ask)), ...checkBrand(asked.filter(isAmerican), ask)])
}

/** Nothing when no number needs one. */
function checkBrand(numbers: readonly AccountNumber[], ask: Ask): readonly Promise<Finding>[] {
  if (numbers.length === 0) return []
  const services = [...new Set(numbers.flatMap(({ service }) => service?.sid ?? []))]
  const judged = async () => judgeBrands((await Promise.all(services.map(ask.campaignsOf))).flat(), await ask.brands())
  return [
    judged().catch((error: unknown) => {
      if (isRefused(error)) return skipped('brand', 'this key may not read registrations')
      throw error
    }),
  ]
}

const needsCampaign = ({ number, kind }: AccountNumber) => kind === 'long-code' && number.startsWith('+1')

/** Canada and the Caribbean share the +1: their customers may all be at home. */
function isAmerican(one: AccountNumber): boolean {
  const country = isPhoneNumber(one.number) ? countryOf(one.number) : undefined
  return needsCampaign(one) && (country === undefined || country === 'US')
}

type Ask = ReturnType<typeof asking>

/** Numbers of one Messaging Service share its campaign: it is asked for once. */
function asking(client: TwilioClient, call: Call) {
  const campaigns = new Map<string, Promise<readonly Campaign[]>>()
  return {
    campaignsOf(serviceSid: string) {
      const asked = campaigns.get(serviceSid) ?? client.listCampaigns(serviceSid, call)
      campaigns.set(serviceSid, asked)
      return asked
    },
    brands: () => client.listBrands(call),
    tollFreeOf: (numberSid: string) => client.listTollFree(numberSid, call),
  }
}

async function checkNumber(number: AccountNumber, ask: Ask): Promise<Finding> {
  const id = `registration:${number.number}`
  try {
    if (number.kind === 'toll-free') return await checkTollFree(id, number, ask)
    if (needsCampaign(number)) return await checkCampaign(id, number, ask)
    return skipped(id, `a ${number.kind} that neither 10DLC nor toll-free verification is about`)
  } catch (error) {
    if (isRefused(error)) return skipped(id, 'this key may not read registrations')
    throw error
  }
}

async function checkCampaign(id: string, number: AccountNumber, ask: Ask): Promise<Finding> {
  const { service } = number
  const tell = isAmerican(number) ? failed : warning
  const blocked = (what: string, todo: string) =>
    tell(id, {
      what,
      why: 'US carriers block texts from it to US phones (30034): replies to those fail',
      fix: `Console › Messaging › Regulatory Compliance › A2P 10DLC: ${todo}`,
      who: 'twilio',
    })
  if (service === undefined) {
    return blocked(
      'is in no Messaging Service, so in no 10DLC campaign',
      'register a brand and a campaign, and add the number to the campaign’s Messaging Service',
    )
  }
  const name = `Messaging Service "${service.name || service.sid}"`
  const statuses = (await ask.campaignsOf(service.sid)).map(({ status }) => status)
  if (statuses.includes('VERIFIED')) return ok(id, `10DLC campaign of ${name} verified`)
  const [status] = statuses
  if (status === undefined) return blocked(`${name} has no 10DLC campaign`, 'register a campaign for it')
  return blocked(
    `the 10DLC campaign of ${name} is ${status}`,
    status === 'FAILED'
      ? 'read why, correct and submit it again'
      : 'it is being reviewed; ask Twilio when it takes longer than they say',
  )
}

async function checkTollFree(id: string, { sid }: AccountNumber, ask: Ask): Promise<Finding> {
  const why = 'texts from it to the US and Canada are blocked (30032): replies fail'
  const fix = 'Console › Phone Numbers › the number › Regulatory: submit a toll-free verification'
  const found = await ask.tollFreeOf(sid)
  if (found.some(({ status }) => status === 'TWILIO_APPROVED')) return ok(id, 'toll-free number verified')
  const [first] = found
  if (first === undefined) return failed(id, { what: 'the toll-free number is not verified', why, fix, who: 'twilio' })
  const reason = first.reason === '' ? '' : `: ${first.reason}`
  const rejected = first.status === 'TWILIO_REJECTED'
  return failed(id, {
    what: `the verification of the toll-free number is ${first.status}${reason}`,
    why,
    fix: rejected ? `${fix} again` : 'wait for the review; ask Twilio when it takes longer than they say',
    who: 'twilio',
  })
}
