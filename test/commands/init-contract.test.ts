// All that init sends, written down on its way to the twins and judged by the vendors' own files.
import type { ServerResponse } from 'node:http'
import { describe, expect, it, onTestFinished } from 'vitest'
import { commandLine } from '../support/command-line.js'
import { mainNumber, otherNumber, sidOf, startInitWorld } from '../support/init-world.js'
import { judgeFailure, loadRequestJudge } from '../support/request-judge.js'
import { type SeenRequest, startVendorServer } from '../support/vendor-server.js'

async function startWiretap(behind: string) {
  const server = await startVendorServer((response, request) => void pass(behind, request, response))
  onTestFinished(() => server.stop())
  return server
}

async function pass(behind: string, { method, url, headers, body }: SeenRequest, response: ServerResponse) {
  const { host, connection, 'content-length': _length, ...kept } = headers
  const sent = { method, headers: kept as Record<string, string>, ...(body === '' ? {} : { body }) }
  const answer = await fetch(behind + url, sent)
  const told = Object.fromEntries(answer.headers)
  for (const name of ['content-length', 'content-encoding', 'transfer-encoding', 'connection']) delete told[name]
  response.writeHead(answer.status, told).end(Buffer.from(await answer.arrayBuffer()))
}

const shapeOf = ({ method, url }: SeenRequest) =>
  `${method} ${url
    .split('?')[0]
    ?.replace(/\b([A-Z]{2})[0-9a-f]{32}\b/g, '$1…')
    .replace(/\/(0{24}|[0-9a-f]{24}|\d+)(?=\/|$)/g, '/…')}`

describe.skipIf(judgeFailure !== undefined)(
  `what init sends${judgeFailure === undefined ? '' : ` (skipped: ${judgeFailure})`}`,
  () => {
    it('is valid by Twilio’s and Intercom’s OpenAPI files', { timeout: 120_000 }, async () => {
      const world = await startInitWorld({
        twilio: {
          numbers: [
            { phoneNumber: mainNumber },
            { phoneNumber: otherNumber },
            { phoneNumber: '24273', kind: 'short-code' },
          ],
        },
      })
      const service = await world.write('/v1/Services', { FriendlyName: 'Support' })
      await world.write(`/v1/Services/${service.sid}/PhoneNumbers`, { PhoneNumberSid: sidOf(world, mainNumber) })
      const app = await world.write('/Applications.json', { SmsUrl: 'https://app.example.com/sms' })
      await world.write(`/IncomingPhoneNumbers/${sidOf(world, otherNumber)}.json`, {
        SmsApplicationSid: String(app.sid),
      })
      await world.subscribe()
      const [twilio, intercom] = [await startWiretap(world.twilio.url), await startWiretap(world.intercom.url)]
      const env = { ...world.env, TWILIO_API_BASE_URL: twilio.url, INTERCOM_API_BASE_URL: intercom.url }
      const { run } = commandLine({ env })
      expect((await run('init --numbers all --yes --replace-foreign')).text).toContain('[exit 0]')
      expect((await run('init --undo --yes')).text).toContain('[exit 0]')

      const [v2010, messaging, v2_15] = [
        await loadRequestJudge('twilio'),
        await loadRequestJudge('messaging'),
        await loadRequestJudge('intercom'),
      ]
      const judged = [
        ...twilio.seen.map((request) => ({ request, judge: request.url.startsWith('/v1/') ? messaging : v2010 })),
        ...intercom.seen.map((request) => ({ request, judge: v2_15 })),
      ]
      expect(judged.flatMap(({ request, judge }) => judge.faultsOf(request))).toEqual([])
      // Nothing that writes was left out.
      const written = judged.map(({ request }) => request).filter(({ method }) => method !== 'GET')
      expect([...new Set(written.map(shapeOf))].toSorted()).toEqual([
        'DELETE /conversations/…',
        'DELETE /tags/…',
        'POST /2010-04-01/Accounts/AC…/IncomingPhoneNumbers/PN….json',
        'POST /2010-04-01/Accounts/AC…/SMS/ShortCodes/SC….json',
        'POST /contacts',
        'POST /contacts/search',
        'POST /contacts/…/archive',
        'POST /conversations',
        'POST /conversations/search',
        'POST /conversations/…/parts',
        'POST /conversations/…/reply',
        'POST /conversations/…/tags',
        'POST /data_attributes',
        'POST /tags',
        'POST /v1/Services/MG…',
        'PUT /contacts/…',
        'PUT /conversations/…',
      ])
    })

    it('is judged for real: what no file knows is found out', async () => {
      const form = { 'content-type': 'application/x-www-form-urlencoded' }
      const sid = (prefix: string) => `${prefix}${'1'.repeat(32)}`
      const number = `/2010-04-01/Accounts/${sid('AC')}/IncomingPhoneNumbers/${sid('PN')}.json`
      const twilio = await loadRequestJudge('twilio')
      const post = (url: string, headers: Record<string, string>, body: string) => ({
        method: 'POST',
        url,
        headers,
        body,
      })
      expect(twilio.faultsOf(post(number, form, 'SmsUrl=https%3A%2F%2Fa.example.com&SmsApplicationSid='))).toEqual([])
      expect(twilio.faultsOf(post(number, form, 'SmsURL=x'))).toEqual([`POST ${number}: SmsURL is not in the file`])
      expect(twilio.faultsOf(post(number, form, 'SmsMethod=FETCH')).join()).toMatch(/SmsMethod/)
      expect(twilio.faultsOf(post('/2010-04-01/Numbers.json', form, ''))).toEqual([
        'POST /2010-04-01/Numbers.json is not in twilio_api_v2010.json',
      ])
      const intercom = await loadRequestJudge('intercom')
      const json = { 'content-type': 'application/json' }
      const attribute = (fields: object) => intercom.faultsOf(post('/data_attributes', json, JSON.stringify(fields)))
      expect(attribute({ name: 'city', model: 'contact', data_type: 'string' })).toEqual([])
      expect(attribute({ name: 'city', model: 'lead', data_type: 'string' })).not.toEqual([])
      expect(attribute({ name: 'city', model: 'contact', data_type: 'string', size: 3 })).toEqual([
        'POST /data_attributes: size is not in the file',
      ])
    })
  },
)
