// Whether US carriers let the texts of each number through, as far as Twilio's API shows it.

import type { Call } from '../../transport.js'
import type { TwilioClient } from '../../twilio/client.js'
import type { AccountNumber } from '../../twilio/numbers.js'
import { isRefused } from '../setup/vendors.js'
import { type Finding, failed, ok, skipped } from './finding.js'
import type { Stage } from './stage.js'
import { expectedNumbers } from './webhook-checks.js'

export async function checkRegistrations(stage: Stage): Promise<readonly Finding[]> {
  const numbers = await stage.numbers()
  const ours = await expectedNumbers(stage, numbers, await stage.need('publicUrl'))
  const client = await stage.twilio()
  const asked = numbers.filter(({ number }) => ours.has(number))
  if (asked.length === 0) return [skipped('registration', 'no number of ours: see webhooks')]
  return Promise.all(asked.map((number) => checkNumber(number, client, stage.call)))
}

async function checkNumber(number: AccountNumber, client: TwilioClient, call: Call): Promise<Finding> {
  const id = `registration:${number.number}`
  try {
    if (number.kind === 'toll-free') return await checkTollFree(id, number, client, call)
    if (number.kind === 'long-code' && number.number.startsWith('+1'))
      return await checkCampaign(id, number, client, call)
    return skipped(id, `a ${number.kind} outside 10DLC and toll-free verification`)
  } catch (error) {
    if (isRefused(error)) return skipped(id, 'this key may not read registrations')
    throw error
  }
}

const console10dlc = 'Console › Messaging › Regulatory Compliance › A2P 10DLC'

async function checkCampaign(
  id: string,
  { service }: AccountNumber,
  client: TwilioClient,
  call: Call,
): Promise<Finding> {
  const why = 'US carriers block texts from it to US phones (30034): replies fail'
  if (service === undefined) {
    return failed(id, {
      what: 'is in no Messaging Service, so in no 10DLC campaign',
      why,
      fix: `${console10dlc}: register a brand and a campaign, and add the number to the campaign’s Messaging Service`,
      who: 'twilio',
    })
  }
  const name = `Messaging Service "${service.name || service.sid}"`
  const statuses = await client.listCampaigns(service.sid, call)
  if (statuses.includes('VERIFIED')) return ok(id, `10DLC campaign of ${name} verified`)
  const [status] = statuses
  if (status === undefined) {
    return failed(id, {
      what: `${name} has no 10DLC campaign`,
      why,
      fix: `${console10dlc}: register a campaign for it`,
      who: 'twilio',
    })
  }
  return failed(id, {
    what: `the 10DLC campaign of ${name} is ${status}`,
    why,
    fix: `${console10dlc}: ${status === 'FAILED' ? 'read why, correct and submit it again' : 'it is being reviewed; ask Twilio when it takes longer than they say'}`,
    who: 'twilio',
  })
}

async function checkTollFree(id: string, { sid }: AccountNumber, client: TwilioClient, call: Call): Promise<Finding> {
  const why = 'texts from it to the US and Canada are blocked (30032): replies fail'
  const fix = 'Console › Phone Numbers › the number › Regulatory: submit a toll-free verification'
  const found = await client.listTollFree(sid, call)
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
