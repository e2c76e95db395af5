import { describe, expect, it } from 'vitest'
import { contractsPresent, loadContract } from './contract.js'
import { accountSid, customer, get, our, rest, serviceWith, startTwin } from './twins.js'

const why = contractsPresent ? '' : ' (skipped: ../shared/contracts is absent)'

describe.skipIf(!contractsPresent)(`against Twilio's OpenAPI files${why}`, () => {
  it('every resource answers what its schema allows, with all of its properties', async () => {
    const { twin, clock, client } = await startTwin({
      numbers: [{ phoneNumber: our }, { phoneNumber: '55501', kind: 'short-code' }],
    })
    const service = await serviceWith(client, [our], { inboundRequestUrl: 'http://127.0.0.1:9/sms' })
    const short = twin.numbers().find(({ kind }) => kind === 'short-code')
    const number = twin.numbers().find(({ kind }) => kind === 'long-code')
    await client.messaging.v1.services(service).shortCodes.create({ shortCodeSid: short?.sid ?? '' })
    const data = new Uint8Array([1, 2, 3])
    const inbound = twin.text({ from: customer, to: our, body: '', media: [{ contentType: 'image/png', data }] })
    twin.setFate(customer, 30003)
    await client.messages.create({ to: customer, from: our, body: 'lost' })
    const application = await client.applications.create({ friendlyName: 'Relay' })
    twin.setCampaign(service, 'VERIFIED')
    twin.setBrand('FAILED')
    twin.setTollFree(our, 'TWILIO_REJECTED')
    await clock.advance(1000)
    const media = await (await rest(twin, `/Messages/${inbound.sid}/Media.json`)).json()
    const contract = loadContract()

    for (const path of [
      `/2010-04-01/Accounts/${accountSid}.json`,
      ...[
        'Messages.json',
        `Messages/${inbound.sid}.json`,
        `Messages/${inbound.sid}/Media.json`,
        `Messages/${inbound.sid}/Media/${media.media_list[0].sid}.json`,
        'IncomingPhoneNumbers.json',
        `IncomingPhoneNumbers/${number?.sid}.json`,
        'Applications.json',
        `Applications/${application.sid}.json`,
        'SMS/ShortCodes.json',
        `SMS/ShortCodes/${short?.sid}.json`,
      ].map((name) => `/2010-04-01/Accounts/${accountSid}/${name}`),
      '/v1/Services',
      `/v1/Services/${service}`,
      `/v1/Services/${service}/PhoneNumbers`,
      `/v1/Services/${service}/PhoneNumbers/${number?.sid}`,
      `/v1/Services/${service}/ShortCodes`,
      `/v1/Services/${service}/ShortCodes/${short?.sid}`,
      `/v1/Services/${service}/Compliance/Usa2p`,
      '/v1/a2p/BrandRegistrations',
      '/v1/Tollfree/Verifications',
    ]) {
      const response = await get(twin, path)
      const body: unknown = await response.json()
      expect({ path, faults: await contract.faultsOf({ method: 'GET', path, status: response.status, body }) }).toEqual(
        {
          path,
          faults: [],
        },
      )
    }
  })

  it('judges for real: a number where Twilio has a string is found out, and so is a stray key', async () => {
    const { twin } = await startTwin()
    twin.text({ from: customer, to: our, body: 'x' })
    const list = await (await rest(twin, '/Messages.json')).json()
    Object.assign(list.messages[0], { num_media: 0, colour: 'blue', sid: 'SM1' })

    const path = `/2010-04-01/Accounts/${accountSid}/Messages.json`
    const faults = await loadContract().faultsOf({ method: 'GET', path, status: 200, body: list })

    expect(faults).toEqual([
      '/messages/0/num_media must be string',
      '/messages/0/sid must NOT have fewer than 34 characters',
      '/messages/0/sid must match pattern "^(SM|MM)[0-9a-fA-F]{32}$"',
      '/messages/0/colour is not in the contract',
    ])
  })
})
