// messaging.twilio.com/v1/Services: Messaging Services and the numbers in their sender pools.
import { type HttpAnswer, type HttpRequest, json } from '../http.js'
import { iso8601, listPageV1, type Route, readForm } from './api.js'

import { twilioError } from './errors.js'
import { readMethod } from './numbers.js'
import { type NumberRow, newSid, type ServiceRow, type State } from './state.js'

export function serviceRoutes(state: State): Route[] {
  const all = /^\/v1\/Services$/
  const one = /^\/v1\/Services\/(\w+)$/
  return [
    {
      method: 'GET',
      path: all,
      handle: (request) => listPageV1(state, request, 'services', state.services, (row) => render(state, row)),
    },
    { method: 'POST', path: all, handle: (request) => create(state, request) },
    { method: 'GET', path: one, handle: withService(state, (service) => json(200, render(state, service))) },
    {
      method: 'POST',
      path: one,
      handle: withService(state, (service, request) => {
        apply(state, service, readForm(request))
        return json(200, render(state, service))
      }),
    },
    {
      method: 'DELETE',
      path: one,
      handle: withService(state, (service) => {
        state.services.splice(state.services.indexOf(service), 1)
        return { status: 204 }
      }),
    },
    ...poolRoutes(state, 'PhoneNumbers', 'phone_numbers', ({ kind }) => kind !== 'short-code'),
    ...poolRoutes(state, 'ShortCodes', 'short_codes', ({ kind }) => kind === 'short-code'),
  ]
}

function withService(
  state: State,
  handle: (service: ServiceRow, request: HttpRequest, ids: readonly string[]) => HttpAnswer,
): Route['handle'] {
  return (request, ids) => {
    const service = state.services.find(({ sid }) => sid === ids[0])
    return service === undefined ? twilioError(20404) : handle(service, request, ids)
  }
}

/** The pool's two sub-lists differ in what they hold and what they call it. */
function poolRoutes(
  state: State,
  name: 'PhoneNumbers' | 'ShortCodes',
  key: 'phone_numbers' | 'short_codes',
  belongs: (number: NumberRow) => boolean,
): Route[] {
  const all = new RegExp(`^/v1/Services/(\\w+)/${name}$`)
  const one = new RegExp(`^/v1/Services/(\\w+)/${name}/(\\w+)$`)
  const candidates = () => state.numbers.filter(belongs)
  const pooled = (service: ServiceRow) => candidates().filter(({ sid }) => service.pool.includes(sid))
  const renderRow = (service: ServiceRow, row: NumberRow) => ({
    sid: row.sid,
    account_sid: state.accountSid,
    service_sid: service.sid,
    date_created: iso8601(row.createdAt),
    date_updated: iso8601(row.updatedAt),
    [name === 'ShortCodes' ? 'short_code' : 'phone_number']: row.phoneNumber,
    country_code: 'US',
    capabilities: ['MMS', 'SMS', 'Voice'],
    url: `${state.origin}/v1/Services/${service.sid}/${name}/${row.sid}`,
  })
  return [
    {
      method: 'GET',
      path: all,
      handle: withService(state, (service, request) =>
        listPageV1(state, request, key, pooled(service), (row) => renderRow(service, row)),
      ),
    },
    {
      method: 'POST',
      path: all,
      handle: withService(state, (service, request) => {
        const wanted = readForm(request).get(`${name.slice(0, -1)}Sid`)
        const row = candidates().find(({ sid }) => sid === wanted)
        if (row === undefined) return twilioError(20404)
        removeFromPools(state, row.sid)
        service.pool.push(row.sid)
        return json(201, renderRow(service, row))
      }),
    },
    {
      method: 'GET',
      path: one,
      handle: withService(state, (service, _, [, sid]) => {
        const row = pooled(service).find((number) => number.sid === sid)
        return row === undefined ? twilioError(20404) : json(200, renderRow(service, row))
      }),
    },
    {
      method: 'DELETE',
      path: one,
      handle: withService(state, (service, _, [, sid = '']) => {
        if (!pooled(service).some((number) => number.sid === sid)) return twilioError(20404)
        removeFromPools(state, sid)
        return { status: 204 }
      }),
    },
  ]
}

/** A number is in one pool at most. */
function removeFromPools(state: State, sid: string): void {
  for (const { pool } of state.services) {
    const at = pool.indexOf(sid)
    if (at !== -1) pool.splice(at, 1)
  }
}

function create(state: State, request: HttpRequest): HttpAnswer {
  const now = state.clock.now()
  const service: ServiceRow = {
    sid: newSid('MG'),
    friendlyName: '',
    inboundRequestUrl: null,
    inboundMethod: 'POST',
    fallbackUrl: null,
    fallbackMethod: 'POST',
    statusCallback: null,
    useInboundWebhookOnNumber: false,
    advancedOptOut: false,
    pool: [],
    alphaSenders: [],
    createdAt: now,
    updatedAt: now,
  }
  apply(state, service, readForm(request))
  state.services.push(service)
  return json(201, render(state, service))
}

/** An empty value clears a URL back to null. */
function apply(state: State, service: ServiceRow, form: URLSearchParams): void {
  const url = (name: string, before: string | null) => (form.has(name) ? form.get(name) || null : before)
  service.friendlyName = form.get('FriendlyName') ?? service.friendlyName
  service.inboundRequestUrl = url('InboundRequestUrl', service.inboundRequestUrl)
  service.fallbackUrl = url('FallbackUrl', service.fallbackUrl)
  service.statusCallback = url('StatusCallback', service.statusCallback)
  service.inboundMethod = readMethod(form, 'InboundMethod') ?? service.inboundMethod
  service.fallbackMethod = readMethod(form, 'FallbackMethod') ?? service.fallbackMethod
  const onNumber = form.get('UseInboundWebhookOnNumber')
  if (onNumber !== null) service.useInboundWebhookOnNumber = onNumber === 'true'
  service.updatedAt = state.clock.now()
}

function render(state: State, service: ServiceRow): unknown {
  const url = `${state.origin}/v1/Services/${service.sid}`
  return {
    account_sid: state.accountSid,
    sid: service.sid,
    date_created: iso8601(service.createdAt),
    date_updated: iso8601(service.updatedAt),
    friendly_name: service.friendlyName,
    inbound_request_url: service.inboundRequestUrl,
    inbound_method: service.inboundMethod,
    fallback_url: service.fallbackUrl,
    fallback_method: service.fallbackMethod,
    status_callback: service.statusCallback,
    sticky_sender: true,
    mms_converter: true,
    smart_encoding: false,
    fallback_to_long_code: true,
    area_code_geomatch: true,
    scan_message_content: 'inherit',
    synchronous_validation: true,
    validity_period: 36_000,
    usecase: 'undeclared',
    us_app_to_person_registered: false,
    use_inbound_webhook_on_number: service.useInboundWebhookOnNumber,
    links: { phone_numbers: `${url}/PhoneNumbers`, short_codes: `${url}/ShortCodes` },
    url,
  }
}
