// The Twilio account: does it let us in, and to what?
import { DeliveryError, describeError } from '../../errors.js'
import { isRefused } from '../setup/vendors.js'
import { type Finding, failed, ok, Unmet, warning } from './finding.js'
import type { Stage } from './stage.js'

export async function checkTwilio(stage: Stage): Promise<readonly Finding[]> {
  const id = 'twilio-credentials'
  try {
    const account = await stage.account()
    if (account === undefined) return [ok(id, 'accepted: an API key, which may not read the account itself')]
    const { name, status, trial } = account
    if (status !== 'active') {
      return [
        failed(id, {
          what: `the account "${name}" is ${status}`,
          why: 'Twilio neither takes nor brings texts',
          fix: 'Console › Billing, or ask Twilio’s support why',
          who: 'twilio',
        }),
      ]
    }
    if (!trial) return [ok(id, `accepted: account "${name}", active`)]
    return [
      warning(id, {
        what: `"${name}" is a trial account`,
        why: 'it texts verified numbers only, from the number assigned to them; replies to anybody else are refused',
        fix: 'Console › Billing › Upgrade, or verify each customer’s number',
        who: 'twilio',
      }),
    ]
  } catch (error) {
    if (error instanceof Unmet) throw error
    if (isRefused(error)) {
      return [
        failed(id, {
          what: 'Twilio refuses the credentials',
          why: 'no reply reaches a phone, and nothing that a webhook lost is found',
          fix: 'copy Account SID and auth token from the console, or make an API key there; then set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN (and TWILIO_API_KEY, TWILIO_API_SECRET)',
          who: 'machine',
        }),
      ]
    }
    return [unreachable(id, 'Twilio', error)]
  }
}

/** What a key may not do shows only in trying. */
export async function checkTwilioPermissions(stage: Stage): Promise<readonly Finding[]> {
  const id = 'twilio-permissions'
  await stage.account().catch(() => {
    throw new Unmet('see twilio-credentials')
  })
  const client = await stage.twilio()
  const tried = [
    { what: 'phone numbers, short codes and Messaging Services', ask: () => stage.listedNumbers() },
    { what: 'texts', ask: async () => client.listReceived(nobody, stage.now, stage.call) },
  ]
  const refused: string[] = []
  for (const { what, ask } of tried) {
    try {
      await ask()
    } catch (error) {
      if (!isRefused(error)) throw error
      refused.push(what)
    }
  }
  if (refused.length === 0) return [ok(id, 'numbers, Messaging Services and texts may be read')]
  return [
    failed(id, {
      what: `this key may not read ${refused.join(', nor ')}`,
      why: 'texts whose webhook was lost are not found, and wrong webhooks are not seen',
      fix: 'Console › API keys: make a Standard key, or give the restricted one these permissions',
      who: 'twilio',
    }),
  ]
}

/** Nobody texts it: nothing is listed, and the permission shows. */
const nobody = '+15550100000' as Parameters<Awaited<ReturnType<Stage['twilio']>>['listReceived']>[0] // a number of those that are for examples

export function unreachable(id: string, vendor: string, error: unknown): Finding {
  const status = error instanceof DeliveryError && error.status !== undefined ? `, HTTP ${error.status}` : ''
  return failed(id, {
    what: `${vendor} gives no usable answer: ${describeError(error)}${status}`,
    why: 'nothing goes through until it does; what waits is kept',
    fix: `look at ${vendor}’s status page, and whether this machine reaches the internet (DNS, firewall, proxy)`,
    who: 'machine',
  })
}
