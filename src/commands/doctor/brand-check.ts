// The 10DLC brand that the campaigns of our US numbers are registered under.
import type { Brand, Campaign } from '../../twilio/registrations.js'
import { list } from '../words.js'
import { type Finding, failed, ok, skipped, warning } from './finding.js'

const id = 'brand'

const place = 'Console › Messaging › Regulatory Compliance › A2P 10DLC › Brands'

/** Brands of our own campaigns count; without a campaign, any that one could be registered under. */
export function judgeBrands(campaigns: readonly Campaign[], brands: readonly Brand[]): Finding {
  const named = new Set(campaigns.flatMap(({ brandSid }) => (brandSid === '' ? [] : [brandSid])))
  const ours = named.size === 0 ? brands : brands.filter(({ sid }) => named.has(sid))
  if (ours.length === 0) {
    if (campaigns.length > 0)
      return skipped(id, 'the campaign’s brand is not of this account, and cannot be seen from it')
    return failed(id, {
      what: 'no 10DLC brand is registered in this account',
      why: 'without a brand there is no campaign, and US carriers block the texts of US numbers (30034)',
      fix: `${place}: register one, then a campaign`,
      who: 'twilio',
    })
  }
  const bad = ours.filter(({ status }) => status !== 'APPROVED')
  // One that is approved is enough to register a campaign under.
  if (bad.length === 0 || (named.size === 0 && bad.length < ours.length)) return ok(id, '10DLC brand approved')
  const refused = bad.some(({ status }) => status === 'FAILED' || status === 'SUSPENDED')
  const reviewed = bad.every(({ status }) => status === 'PENDING' || status === 'IN_REVIEW')
  return (refused ? failed : warning)(id, {
    what: `the 10DLC brand ${list(bad.map(inWords))}`,
    why: 'campaigns are registered under a brand; without one US carriers block the texts of US numbers (30034)',
    fix: `${place}: ${reviewed ? 'it is being reviewed; ask Twilio when it takes longer than they say' : 'read why, and correct it or ask Twilio'}`,
    who: 'twilio',
  })
}

function inWords({ sid, status, errors }: Brand): string {
  return `${sid} is ${status}${errors.length === 0 ? '' : ` (${errors.join(' ')})`}`
}
