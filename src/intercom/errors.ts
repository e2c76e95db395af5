import { z } from 'zod'
import type { VendorError } from '../classify.js'
import type { DeliveryError } from '../errors.js'
import type { ContactId } from '../message.js'

const errorList = z.object({
  type: z.literal('error.list'),
  errors: z.array(z.object({ code: z.string(), message: z.string().nullish() })),
})

/** Intercom's own error body; a gateway's page is none. */
export function readIntercomError(_status: number, _headers: Headers, json: unknown): VendorError | undefined {
  const list = errorList.safeParse(json)
  const first = list.success ? list.data.errors[0] : undefined
  if (first === undefined) return undefined
  return {
    code: first.code,
    ...(first.message ? { message: first.message } : {}),
    // Either the plan lacks this one feature or the subscription lapsed: try to the budget, but neither give a text up
    // at first sight nor stop the shore for a feature.
    ...(first.code === 'api_plan_restricted' ? { outcome: 'transient' } : {}),
  }
}

/** The contact a 409 says is there already; the id stands only in its words. */
export function existingContactId(error: DeliveryError): ContactId | undefined {
  if (error.status !== 409) return undefined
  return /\bid=([0-9a-f]{24})\b/.exec(error.message)?.[1] as ContactId | undefined // the pattern has looked
}
