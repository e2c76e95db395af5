// Whether US carriers let our texts through: 10DLC brands and campaigns, and toll-free verifications (twilio_messaging_v1.json).
import type { Call } from '../transport.js'
import { pageSize, rowsOf, type Sdk } from './sdk.js'

export interface Registrations {
  /** Of the whole account. */
  listBrands(call: Call): Promise<readonly Brand[]>
  /** Of a Messaging Service. */
  listCampaigns(serviceSid: string, call: Call): Promise<readonly Campaign[]>
  /** Verifications of a toll-free number (PN…). */
  listTollFree(numberSid: string, call: Call): Promise<readonly TollFreeVerification[]>
}

/** Who texts, as the carriers know them: campaigns are registered under a brand. */
export interface Brand {
  /** BN… */
  readonly sid: string
  readonly status:
    | 'PENDING'
    | 'APPROVED'
    | 'FAILED'
    | 'IN_REVIEW'
    | 'DELETION_PENDING'
    | 'DELETION_FAILED'
    | 'SUSPENDED'
  /** What is wrong with it, in Twilio's words. */
  readonly errors: readonly string[]
}

export interface Campaign {
  /** As Twilio words it: VERIFIED, IN_PROGRESS, FAILED, … */
  readonly status: string
  /** '' when Twilio does not tell. */
  readonly brandSid: string
}

export interface TollFreeVerification {
  readonly status: 'PENDING_REVIEW' | 'IN_REVIEW' | 'TWILIO_APPROVED' | 'TWILIO_REJECTED'
  /** '' when it was not rejected. */
  readonly reason: string
}

export function createRegistrations(sdk: Sdk): Registrations {
  return {
    async listBrands(call) {
      const rows = await rowsOf(sdk(call).messaging.v1.brandRegistrations.page({ pageSize }))
      return rows.map(({ sid, status, errors }) => ({ sid, status, errors: (errors ?? []).flatMap(descriptionOf) }))
    },
    async listCampaigns(serviceSid, call) {
      const rows = await rowsOf(sdk(call).messaging.v1.services(serviceSid).usAppToPerson.page({ pageSize }))
      return rows.map((row) => ({ status: row.campaignStatus ?? '', brandSid: row.brandRegistrationSid ?? '' }))
    },
    async listTollFree(tollfreePhoneNumberSid, call) {
      const { tollfreeVerifications } = sdk(call).messaging.v1
      const rows = await rowsOf(tollfreeVerifications.page({ tollfreePhoneNumberSid, pageSize }))
      return rows.map(({ status, rejectionReason }) => ({ status, reason: rejectionReason ?? '' }))
    },
  }
}

/** The schema does not say what an error is; in Twilio's examples it has a description. */
function descriptionOf(error: unknown): readonly string[] {
  const isWorded = typeof error === 'object' && error !== null && 'description' in error
  return isWorded && typeof error.description === 'string' ? [error.description] : []
}
