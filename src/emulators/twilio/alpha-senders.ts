// messaging.twilio.com/v1/Services/{MG}/AlphaSenders: names a service sends from where a country allows it.
import { type HttpAnswer, type HttpRequest, json } from '../http.js'
import { iso8601, listPageV1, type Route, readForm } from './api.js'
import { twilioError } from './errors.js'
import { type AlphaSenderRow, newSid, type ServiceRow, type State } from './state.js'

export function alphaSenderRoutes(state: State): Route[] {
  const path = /^\/v1\/Services\/(\w+)\/AlphaSenders$/
  const withService = (handle: (service: ServiceRow, request: HttpRequest) => HttpAnswer): Route['handle'] => {
    return (request, [sid]) => {
      const service = state.services.find((one) => one.sid === sid)
      return service === undefined ? twilioError(20404) : handle(service, request)
    }
  }
  const render = (service: ServiceRow, row: AlphaSenderRow) => ({
    sid: row.sid,
    account_sid: state.accountSid,
    service_sid: service.sid,
    date_created: iso8601(row.createdAt),
    date_updated: iso8601(row.createdAt),
    alpha_sender: row.alphaSender,
    capabilities: ['SMS'],
    url: `${state.origin}/v1/Services/${service.sid}/AlphaSenders/${row.sid}`,
  })
  return [
    {
      method: 'GET',
      path,
      handle: withService((service, request) =>
        listPageV1(state, request, 'alpha_senders', service.alphaSenders, (row) => render(service, row)),
      ),
    },
    {
      method: 'POST',
      path,
      handle: withService((service, request) => {
        const alphaSender = readForm(request).get('AlphaSender') ?? ''
        const row = { sid: newSid('AI'), alphaSender, createdAt: state.clock.now() }
        service.alphaSenders.push(row)
        return json(201, render(service, row))
      }),
    },
  ]
}
