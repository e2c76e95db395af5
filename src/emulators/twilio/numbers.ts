// Accounts/{AC}: the account itself, IncomingPhoneNumbers and SMS/ShortCodes.
import { type HttpAnswer, type HttpRequest, json } from '../http.js'
import { listPage, type Route, readForm, rfc2822 } from './api.js'
import { twilioError } from './errors.js'
import type { NumberRow, State } from './state.js'

export function numberRoutes(state: State): Route[] {
  const base = '^/2010-04-01/Accounts/\\w+'
  const longNumbers = () => state.numbers.filter(({ kind }) => kind !== 'short-code')
  const shortCodes = () => state.numbers.filter(({ kind }) => kind === 'short-code')
  const withRow = (
    rows: () => NumberRow[],
    handle: (row: NumberRow, request: HttpRequest) => HttpAnswer,
  ): Route['handle'] => {
    return (request, [sid = '']) => {
      const row = rows().find((one) => one.sid === sid)
      return row === undefined ? twilioError(20404) : handle(row, request)
    }
  }
  const numberPath = new RegExp(`${base}/IncomingPhoneNumbers/(\\w+)\\.json$`)
  const shortCodePath = new RegExp(`${base}/SMS/ShortCodes/(\\w+)\\.json$`)
  const number = (row: NumberRow) => renderNumber(state, row)
  const shortCode = (row: NumberRow) => renderShortCode(state, row)
  return [
    { method: 'GET', path: new RegExp(`${base}\\.json$`), handle: () => json(200, renderAccount(state)) },
    {
      method: 'GET',
      path: new RegExp(`${base}/IncomingPhoneNumbers\\.json$`),
      handle: (request) => listPage(request, 'incoming_phone_numbers', filtered(longNumbers(), request.query), number),
    },
    { method: 'GET', path: numberPath, handle: withRow(longNumbers, (row) => json(200, number(row))) },
    {
      method: 'POST',
      path: numberPath,
      handle: withRow(longNumbers, (row, request) => update(state, row, request, number)),
    },
    {
      method: 'GET',
      path: new RegExp(`${base}/SMS/ShortCodes\\.json$`),
      handle: (request) => {
        const wanted = request.query.get('ShortCode')
        const rows = shortCodes().filter(({ phoneNumber }) => wanted === null || phoneNumber === wanted)
        return listPage(request, 'short_codes', rows, shortCode)
      },
    },
    { method: 'GET', path: shortCodePath, handle: withRow(shortCodes, (row) => json(200, shortCode(row))) },
    {
      method: 'POST',
      path: shortCodePath,
      handle: withRow(shortCodes, (row, request) => update(state, row, request, shortCode)),
    },
  ]
}

/** PhoneNumber matches anywhere in the number; `*` stands for one digit. */
function filtered(rows: readonly NumberRow[], query: URLSearchParams): NumberRow[] {
  const pattern = new RegExp((query.get('PhoneNumber') ?? '').replace(/[^\d*]/g, '').replaceAll('*', '\\d'))
  const name = query.get('FriendlyName')
  return rows.filter((row) => pattern.test(row.phoneNumber) && (name === null || row.friendlyName === name))
}

function update(state: State, row: NumberRow, request: HttpRequest, render: (row: NumberRow) => unknown): HttpAnswer {
  const form = readForm(request)
  const fallbackUrl = form.get('SmsFallbackUrl') ?? row.smsFallbackUrl
  const smsUrl = form.get('SmsUrl') ?? row.smsUrl
  if (form.get('SmsFallbackUrl') && smsUrl === '') return twilioError(21406)
  row.smsUrl = smsUrl
  row.smsFallbackUrl = fallbackUrl
  row.smsMethod = readMethod(form, 'SmsMethod') ?? row.smsMethod
  row.smsFallbackMethod = readMethod(form, 'SmsFallbackMethod') ?? row.smsFallbackMethod
  row.smsApplicationSid = form.get('SmsApplicationSid') ?? row.smsApplicationSid
  row.statusCallback = form.get('StatusCallback') ?? row.statusCallback
  row.friendlyName = form.get('FriendlyName') ?? row.friendlyName
  row.updatedAt = state.clock.now()
  return json(200, render(row))
}

export function readMethod(form: URLSearchParams, name: string): 'GET' | 'POST' | undefined {
  const method = form.get(name)
  return method === 'GET' || method === 'POST' ? method : undefined
}

function renderAccount({ accountSid, authToken, accountType, startedAt }: State): unknown {
  const base = `/2010-04-01/Accounts/${accountSid}`
  return {
    auth_token: authToken,
    date_created: rfc2822(startedAt),
    date_updated: rfc2822(startedAt),
    friendly_name: 'Local Twilio',
    owner_account_sid: accountSid,
    sid: accountSid,
    status: 'active',
    subresource_uris: {
      applications: `${base}/Applications.json`,
      incoming_phone_numbers: `${base}/IncomingPhoneNumbers.json`,
      messages: `${base}/Messages.json`,
      short_codes: `${base}/SMS/ShortCodes.json`,
    },
    type: accountType,
    uri: `${base}.json`,
  }
}

/** `status_callback` of a number is the one for calls; texts report to their own or their service's. */
function renderNumber(state: State, row: NumberRow): unknown {
  return {
    account_sid: state.accountSid,
    address_requirements: 'none',
    address_sid: null,
    api_version: '2010-04-01',
    beta: false,
    bundle_sid: null,
    capabilities: { voice: true, sms: true, mms: true, fax: false },
    date_created: rfc2822(row.createdAt),
    date_updated: rfc2822(row.updatedAt),
    emergency_address_sid: null,
    emergency_address_status: 'unregistered',
    emergency_status: 'Inactive',
    friendly_name: row.friendlyName,
    identity_sid: null,
    origin: 'twilio',
    phone_number: row.phoneNumber,
    sid: row.sid,
    sms_application_sid: row.smsApplicationSid,
    sms_fallback_method: row.smsFallbackMethod,
    sms_fallback_url: row.smsFallbackUrl,
    sms_method: row.smsMethod,
    sms_url: row.smsUrl,
    status: 'in-use',
    status_callback: row.statusCallback,
    status_callback_method: 'POST',
    trunk_sid: null,
    type: 'local',
    uri: `/2010-04-01/Accounts/${state.accountSid}/IncomingPhoneNumbers/${row.sid}.json`,
    voice_application_sid: '',
    voice_caller_id_lookup: false,
    voice_fallback_method: 'POST',
    voice_fallback_url: null,
    voice_method: 'POST',
    voice_receive_mode: 'voice',
    voice_url: null,
  }
}

function renderShortCode(state: State, row: NumberRow): unknown {
  return {
    account_sid: state.accountSid,
    api_version: '2010-04-01',
    date_created: rfc2822(row.createdAt),
    date_updated: rfc2822(row.updatedAt),
    friendly_name: row.friendlyName,
    short_code: row.phoneNumber,
    sid: row.sid,
    sms_fallback_method: row.smsFallbackMethod,
    sms_fallback_url: row.smsFallbackUrl || null,
    sms_method: row.smsMethod,
    sms_url: row.smsUrl || null,
    uri: `/2010-04-01/Accounts/${state.accountSid}/SMS/ShortCodes/${row.sid}.json`,
  }
}
