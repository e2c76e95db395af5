// Who answers at a public URL? A bridge proves by a nonce that it holds the same secret, without telling it.
import { createHmac, timingSafeEqual } from 'node:crypto'

/** Bounded: whoever asks must not choose much. */
const nonceShape = /^[\w-]{16,64}$/

/** What `GET /healthz?nonce=…` answers; undefined for what is no nonce. Another hash and other words than any webhook's. */
export function proofOf(clientSecret: string, nonce: string): string | undefined {
  if (!nonceShape.test(nonce)) return undefined
  return createHmac('sha256', clientSecret).update(`sms-bridge healthz ${nonce}`).digest('hex')
}

export function isProof(clientSecret: string, nonce: string, given: unknown): boolean {
  const [expected, got] = [Buffer.from(proofOf(clientSecret, nonce) ?? ''), Buffer.from(String(given))]
  return expected.length > 0 && expected.length === got.length && timingSafeEqual(expected, got)
}
