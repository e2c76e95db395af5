// What `doctor` says of the URL that Twilio asks when all tries at the first have failed.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { type DoctorWorld, openDoctorWorld, sidOf } from '../support/doctor-world.js'
import { ours, oursToo } from '../support/test-bridge.js'

const smsOf = ({ world }: DoctorWorld) => `${world.config.publicUrl}/webhooks/twilio/sms`
const desired = (stage: DoctorWorld) => `${smsOf(stage)}#ct=3000&rt=4000&rc=5&rp=all`
const numberPath = ({ world }: DoctorWorld, number: string) => `/IncomingPhoneNumbers/${sidOf(world, number)}.json`

async function check(stage: DoctorWorld, id: string) {
  const { report } = await stage.examine()
  return report.checks.find((one) => one.id === id)
}

describe('doctor on fallbacks', () => {
  it('names a fallback that knocks by GET at the door that takes POST alone, and mends it', async () => {
    const stage = await openDoctorWorld()
    await stage.twilio(numberPath(stage, ours), { SmsFallbackMethod: 'GET' })
    expect(await stage.wrong()).toEqual([`warning fallback:${ours}`])
    expect(await check(stage, `fallback:${ours}`)).toMatchObject({
      what: 'its fallback is asked by GET, which the bridge does not take',
      fix: `sms-bridge doctor --fix fallback:${ours}`,
    })
    const { code, report } = await stage.examine(`--fix fallback:${ours} --yes`)
    expect(code).toBe(0)
    expect(report.fixed[0]?.changes).toEqual([{ at: ours, name: 'SmsFallbackMethod', from: 'GET', to: 'POST' }])
    expect(await stage.twilio(numberPath(stage, ours))).toMatchObject({ sms_fallback_method: 'POST' })
  })

  it('finds the method of a Messaging Service’s fallback, once for each number, and mends it once', async () => {
    const stage = await openDoctorWorld()
    const path = `/v1/Services/${stage.serviceSid}`
    const urls = { InboundRequestUrl: desired(stage), FallbackUrl: smsOf(stage), FallbackMethod: 'GET' }
    await stage.twilio(path, { ...urls, UseInboundWebhookOnNumber: 'false' })
    expect(await stage.wrong()).toEqual([`warning fallback:${ours}`, `warning fallback:${oursToo}`])
    const { code, report } = await stage.examine('--fix --yes')
    expect(code).toBe(0)
    const at = `Messaging Service "Support", for all of its numbers (${ours}, ${oursToo})`
    expect(report.fixed[0]?.changes).toEqual([{ at, name: 'FallbackMethod', from: 'GET', to: 'POST' }])
    expect(await stage.twilio(path)).toMatchObject({ fallback_method: 'POST' })
  })

  it('does not call a fallback elsewhere, and says why', async () => {
    const stage = await openDoctorWorld()
    const called: string[] = []
    const elsewhere = createServer((request, response) => {
      called.push(`${request.method} ${request.url}`)
      response.end()
    })
    await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void elsewhere.close())
    const url = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/EH1` // listening on a port
    await stage.twilio(numberPath(stage, ours), { SmsFallbackUrl: `${url}?key=1`, SmsFallbackMethod: 'GET' })
    expect(await stage.wrong()).toEqual([])
    expect(await check(stage, `fallback:${ours}`)).toMatchObject({
      state: 'skipped',
      what: `${url}?…, by GET, is not this bridge’s, and is not called from here: what answers there would take a call for a text, and may reply to somebody`,
    })
    expect(called).toEqual([])
  })
})
