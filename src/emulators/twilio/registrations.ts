// What carriers want to know first: the 10DLC brand of the account, campaigns of a Messaging Service, and verifications of toll-free numbers.
import { iso8601, listPageV1, type Route } from './api.js'
import { twilioError } from './errors.js'
import { findNumber, newSid, type State } from './state.js'
import type { TwinBrandStatus, TwinTollFreeStatus } from './types.js'

export interface BrandRow {
  readonly sid: string
  status: TwinBrandStatus
  readonly createdAt: number
}

export interface CampaignRow {
  readonly sid: string
  readonly serviceSid: string
  readonly brandSid: string
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
      path: /^\/v1\/a2p\/BrandRegistrations$/,
      handle: (request) => listPageV1(state, request, 'data', state.brands, (row) => renderBrand(state, row)),
    },
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

/** Registers the account's brand, or moves it on. */
export function setBrand(state: State, status: TwinBrandStatus): BrandRow {
  const [known] = state.brands
  if (known !== undefined) return Object.assign(known, { status })
  const row: BrandRow = { sid: newSid('BN'), status, createdAt: state.clock.now() }
  state.brands.push(row)
  return row
}

/** Registers a campaign with a Messaging Service, under a brand, or moves the one it has on. */
export function setCampaign(state: State, serviceSid: string, status: string): void {
  const known = state.campaigns.find((row) => row.serviceSid === serviceSid)
  if (known !== undefined) known.status = status
  else {
    const { sid: brandSid } = state.brands[0] ?? setBrand(state, 'APPROVED')
    state.campaigns.push({ sid: newSid('QE'), serviceSid, brandSid, status, createdAt: state.clock.now() })
  }
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

function renderBrand(state: State, row: BrandRow): unknown {
  const url = `${state.origin}/v1/a2p/BrandRegistrations/${row.sid}`
  const bundleSid = row.sid.replace('BN', 'BU')
  const error = {
    url: 'https://www.twilio.com/docs/api/errors/30701',
    error_code: 30701,
    description: 'Invalid State/Region/Province.',
    fields: ['region'],
  }
  return {
    sid: row.sid,
    account_sid: state.accountSid,
    customer_profile_bundle_sid: bundleSid,
    a2p_profile_bundle_sid: bundleSid,
    date_created: iso8601(row.createdAt),
    date_updated: iso8601(row.createdAt),
    brand_type: 'STANDARD',
    status: row.status,
    tcr_id: row.status === 'APPROVED' ? 'BXXXXXX' : null, // as in Twilio's own example
    failure_reason: row.status === 'FAILED' ? 'Registration error' : null,
    errors: row.status === 'FAILED' ? [error] : [],
    url,
    brand_score: null,
    brand_feedback: [],
    identity_status: row.status === 'APPROVED' ? 'VERIFIED' : 'UNVERIFIED',
    russell_3000: false,
    government_entity: false,
    tax_exempt_status: null,
    skip_automatic_sec_vet: false,
    mock: false,
    links: { brand_vettings: `${url}/Vettings`, brand_registration_otps: `${url}/SmsOtp` },
  }
}

function renderCampaign(state: State, row: CampaignRow): unknown {
  return {
    sid: row.sid,
    account_sid: state.accountSid,
    brand_registration_sid: row.brandSid,
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

/** What a form has asked the business for; most of it nobody here reads. */
const unsaid = [
  'customer_profile_sid',
  'trust_product_sid',
  'regulated_item_sid',
  'business_street_address',
  'business_street_address2',
  'business_city',
  'business_state_province_region',
  'business_postal_code',
  'business_country',
  'business_contact_first_name',
  'business_contact_last_name',
  'business_contact_email',
  'business_contact_phone',
  'notification_email',
  'additional_information',
  'error_code',
  'edit_expiration',
  'business_registration_number',
  'business_registration_country',
  'business_registration_phone_number',
  'doing_business_as',
  'opt_in_confirmation_message',
  'help_message_sample',
  'privacy_policy_url',
  'terms_and_conditions_url',
  'age_gated_content',
  'rejection_reasons',
  'resource_links',
  'external_reference_id',
  'vetting_id',
  'vetting_id_expiration',
]

function renderTollFree(state: State, row: TollFreeRow): unknown {
  const rejected = row.status === 'TWILIO_REJECTED'
  return {
    ...Object.fromEntries(unsaid.map((name) => [name, null])),
    sid: row.sid,
    account_sid: state.accountSid,
    date_created: iso8601(row.createdAt),
    date_updated: iso8601(row.createdAt),
    business_name: 'Acme',
    business_type: 'PRIVATE_PROFIT',
    business_registration_authority: 'EIN',
    // Only political senders are vetted, but the schema has no other word.
    vetting_provider: 'CAMPAIGN_VERIFY',
    business_website: 'https://acme.example.com',
    use_case_categories: ['CUSTOMER_CARE'],
    use_case_summary: 'Answers to customers who text us first.',
    production_message_sample: 'Your order has been sent today.',
    opt_in_image_urls: [],
    opt_in_type: 'VIA_TEXT',
    opt_in_keywords: ['START'],
    message_volume: '1,000',
    tollfree_phone_number_sid: row.numberSid,
    tollfree_phone_number: row.phoneNumber,
    status: row.status,
    url: `${state.origin}/v1/Tollfree/Verifications/${row.sid}`,
    rejection_reason: rejected ? 'The website could not be validated.' : null,
    edit_allowed: rejected,
  }
}
