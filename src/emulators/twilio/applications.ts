// Accounts/{AC}/Applications: TwiML applications, whose URLs replace those of the numbers that name them.
import { type HttpAnswer, type HttpRequest, json } from '../http.js'
import { listPage, type Route, readForm, rfc2822 } from './api.js'
import { twilioError } from './errors.js'
import { readMethod } from './numbers.js'
import { type ApplicationRow, newSid, type State } from './state.js'

export function applicationRoutes(state: State): Route[] {
  const all = /^\/2010-04-01\/Accounts\/\w+\/Applications\.json$/
  const one = /^\/2010-04-01\/Accounts\/\w+\/Applications\/(\w+)\.json$/
  const withRow = (handle: (row: ApplicationRow, request: HttpRequest) => HttpAnswer): Route['handle'] => {
    return (request, [sid]) => {
      const row = state.applications.find((application) => application.sid === sid)
      return row === undefined ? twilioError(20404) : handle(row, request)
    }
  }
  return [
    { method: 'GET', path: all, handle: (request) => list(state, request) },
    { method: 'POST', path: all, handle: (request) => create(state, request) },
    { method: 'GET', path: one, handle: withRow((row) => json(200, render(state, row))) },
    {
      method: 'POST',
      path: one,
      handle: withRow((row, request) => {
        apply(state, row, readForm(request))
        return json(200, render(state, row))
      }),
    },
  ]
}

function list(state: State, request: HttpRequest): HttpAnswer {
  const name = request.query.get('FriendlyName')
  const rows = state.applications.filter(({ friendlyName }) => name === null || friendlyName === name)
  return listPage(request, 'applications', rows, (row) => render(state, row))
}

function create(state: State, request: HttpRequest): HttpAnswer {
  const now = state.clock.now()
  const row: ApplicationRow = {
    sid: newSid('AP'),
    friendlyName: '',
    smsUrl: null,
    smsMethod: 'POST',
    smsFallbackUrl: null,
    smsFallbackMethod: 'POST',
    createdAt: now,
    updatedAt: now,
  }
  apply(state, row, readForm(request))
  state.applications.push(row)
  return json(201, render(state, row))
}

/** An empty value clears a URL back to null. */
function apply(state: State, row: ApplicationRow, form: URLSearchParams): void {
  row.friendlyName = form.get('FriendlyName') ?? row.friendlyName
  if (form.has('SmsUrl')) row.smsUrl = form.get('SmsUrl') || null
  if (form.has('SmsFallbackUrl')) row.smsFallbackUrl = form.get('SmsFallbackUrl') || null
  row.smsMethod = readMethod(form, 'SmsMethod') ?? row.smsMethod
  row.smsFallbackMethod = readMethod(form, 'SmsFallbackMethod') ?? row.smsFallbackMethod
  row.updatedAt = state.clock.now()
}

/** What is not about inbound texts is as it is on an application nobody set up further. */
function render(state: State, row: ApplicationRow): unknown {
  return {
    account_sid: state.accountSid,
    api_version: '2010-04-01',
    date_created: rfc2822(row.createdAt),
    date_updated: rfc2822(row.updatedAt),
    friendly_name: row.friendlyName,
    message_status_callback: null,
    public_application_connect_enabled: false,
    sid: row.sid,
    sms_fallback_method: row.smsFallbackMethod,
    sms_fallback_url: row.smsFallbackUrl,
    sms_method: row.smsMethod,
    sms_status_callback: null,
    sms_url: row.smsUrl,
    status_callback: null,
    status_callback_method: 'POST',
    uri: `/2010-04-01/Accounts/${state.accountSid}/Applications/${row.sid}.json`,
    voice_caller_id_lookup: false,
    voice_fallback_method: 'POST',
    voice_fallback_url: null,
    voice_method: 'POST',
    voice_url: null,
  }
}
