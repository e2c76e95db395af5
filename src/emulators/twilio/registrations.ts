// What carriers want to know first: 10DLC campaigns of a Messaging Service, and verifications of toll-free numbers.
import { iso8601, listPageV1, type Route } from './api.js'
import { twilioError } from './errors.js'
import { findNumber, newSid, type State } from './state.js'
import type { TwinTollFreeStatus } from './types.js'

export interface CampaignRow {
  readonly sid: string
  readonly serviceSid: string
  status: string
  readonly createdAt: number
}

export interface TollFreeRow {
  readonly sid: string
  readonly numberSid: string
  readonly phoneNumber: string
  status: TwinTollFreeStatus
  readonly createdAt: number
}

export function registrationRoutes(state: State): Route[] {
  return [
    {
      method: 'GET',
      path: /^\/v1\/Services\/(\w+)\/Compliance\/Usa2p$/,
      handle: (request, [serviceSid]) => {
        if (state.services.every(({ sid }) => sid !== serviceSid)) return twilioError(20404)
        const rows = state.campaigns.filter((row) => row.serviceSid === serviceSid)
        return listPageV1(state, request, 'compliance', rows, (row) => renderCampaign(state, row))
      },
    },
    {
      method: 'GET',
      path: /^\/v1\/Tollfree\/Verifications$/,
      handle: (request) => {
        const wanted = request.query.get('TollfreePhoneNumberSid')
        const rows = state.tollFree.filter(({ numberSid }) => wanted === null || numberSid === wanted)
        return listPageV1(state, request, 'verifications', rows, (row) => renderTollFree(state, row))
      },
    },
  ]
}

/** Registers a campaign with a Messaging Service, or moves the one it has on. */
export function setCampaign(state: State, serviceSid: string, status: string): void {
  const known = state.campaigns.find((row) => row.serviceSid === serviceSid)
  if (known !== undefined) known.status = status
  else state.campaigns.push({ sid: newSid('QE'), serviceSid, status, createdAt: state.clock.now() })
}

export function setTollFree(state: State, phoneNumber: string, status: TwinTollFreeStatus): void {
  const number = findNumber(state, phoneNumber)
  if (number === undefined) throw new Error(`${phoneNumber} is not a number of this twin`)
  const known = state.tollFree.find(({ numberSid }) => numberSid === number.sid)
  if (known !== undefined) known.status = status
  else {
    const row = { sid: newSid('HH'), numberSid: number.sid, phoneNumber, status, createdAt: state.clock.now() }
    state.tollFree.push(row)
  }
}

function renderCampaign(state: State, row: CampaignRow): unknown {
  return {
    sid: row.sid,
    account_sid: state.accountSid,
    brand_registration_sid: null,
    messaging_service_sid: row.serviceSid,
    description: 'Answers to customers who text us first, by agents.',
    message_samples: ['Your order has been sent today.', 'Which size would you like?'],
    us_app_to_person_usecase: 'CUSTOMER_CARE',
    has_embedded_links: false,
    has_embedded_phone: false,
    subscriber_opt_in: true,
    age_gated: false,
    direct_lending: false,
    campaign_status: row.status,
    campaign_id: row.status === 'VERIFIED' ? 'CAMP123' : null,
    is_externally_registered: false,
    rate_limits: {},
    message_flow: 'The customer texts our number first.',
    opt_in_message: null,
    opt_out_message: null,
    help_message: null,
    opt_in_keywords: ['START'],
    opt_out_keywords: ['STOP'],
    help_keywords: ['HELP'],
    date_created: iso8601(row.createdAt),
    date_updated: iso8601(row.createdAt),
    url: `${state.origin}/v1/Services/${row.serviceSid}/Compliance/Usa2p/${row.sid}`,
    mock: false,
    errors: [],
  }
}

function renderTollFree(state: State, row: TollFreeRow): unknown {
  const rejected = row.status === 'TWILIO_REJECTED'
  return {
    sid: row.sid,
    account_sid: state.accountSid,
    date_created: iso8601(row.createdAt),
    date_updated: iso8601(row.createdAt),
    business_name: 'Acme',
    business_website: 'https://acme.example.com',
    use_case_categories: ['CUSTOMER_CARE'],
    use_case_summary: 'Answers to customers who text us first.',
    tollfree_phone_number_sid: row.numberSid,
    tollfree_phone_number: row.phoneNumber,
    status: row.status,
    url: `${state.origin}/v1/Tollfree/Verifications/${row.sid}`,
    rejection_reason: rejected ? 'The website could not be validated.' : null,
    error_code: rejected ? 30_504 : null,
    edit_allowed: rejected,
  }
}
