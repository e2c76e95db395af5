// The public URL: is it reached, is it this bridge, and do signed forms arrive unchanged?
import { type Check as Proof, proveOurs, proveSignature } from '../setup/self-test.js'
import { running } from '../status-verdict.js'
import { type Finding, failed, ok, Unmet } from './finding.js'
import type { Stage } from './stage.js'

export async function checkPublicUrl(stage: Stage, signal: AbortSignal): Promise<readonly Finding[]> {
  const id = 'public-url'
  const publicUrl = await stage.need('publicUrl')
  const why = 'no webhook arrives: texts and replies come minutes late, by reconciliation, or not at all'
  if (isLoopback(publicUrl) && (await vendorsAreOutside(stage))) {
    return [
      failed(id, {
        what: `${publicUrl} is on this machine alone: neither vendor can reach it`,
        why,
        fix: 'give the bridge an HTTPS address of its own, and set SMS_BRIDGE_PUBLIC_URL',
        who: 'web',
      }),
    ]
  }
  const proofs = await proveOurs(publicUrl, await stage.need('intercomClientSecret'), { signal })
  const bad = proofs.find((proof) => !proof.ok)
  if (bad === undefined) return [ok(id, `${publicUrl} is reached (from this machine), and is this bridge`)]
  await unlessNothingRuns(stage, bad)
  return [
    failed(id, {
      what: bad.detail,
      why,
      fix: 'mend DNS, firewall or proxy until curl gets "alive" from /healthz there; or correct SMS_BRIDGE_PUBLIC_URL',
      who: 'web',
    }),
  ]
}

export async function checkSignature(stage: Stage, signal: AbortSignal): Promise<readonly Finding[]> {
  const id = 'signature'
  const publicUrl = await stage.need('publicUrl')
  const [accountSid, authTokens] = [await stage.need('twilioAccountSid'), await stage.need('twilioAuthToken')]
  const clientSecret = (await stage.settings()).values.intercomClientSecret
  // A signed form is not sent to somebody else's door.
  const proofs = await proveOurs(publicUrl, clientSecret ?? '', { signal })
  if (proofs.some((proof) => !proof.ok)) throw new Unmet('the public URL does not lead to this bridge: see public-url')
  const { ok: arrived, detail } = await proveSignature({ publicUrl, accountSid, authTokens }, { signal })
  if (arrived) return [ok(id, 'a form signed with the auth token arrives unchanged')]
  return [
    failed(id, {
      what: detail,
      why: 'texts and receipts are refused at the door, and come minutes late, by reconciliation',
      fix: 'start serve anew with the settings seen here; if that does not mend it, let the proxy pass path, query and body on unchanged',
      who: 'machine',
    }),
  ]
}

/** A bridge that is not running answers nowhere: that is told once, by `serve`. */
async function unlessNothingRuns(stage: Stage, { id }: Proof): Promise<void> {
  if (id !== 'reachable') return
  const survey = await stage.survey().catch(() => undefined)
  if (survey !== undefined && running(survey, stage.now).length === 0)
    throw new Unmet('no serve is running that could answer: see serve')
}

export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}

async function vendorsAreOutside(stage: Stage): Promise<boolean> {
  const { twilioApiBaseUrl, intercomApiBaseUrl } = (await stage.settings()).values
  return [twilioApiBaseUrl, intercomApiBaseUrl].some((url) => url === undefined || !isLoopback(url))
}
