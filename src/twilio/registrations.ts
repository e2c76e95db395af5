// Whether US carriers let our texts through: 10DLC campaigns and toll-free verifications (twilio_messaging_v1.json).
import type { Call } from '../transport.js'
import { pageSize, rowsOf, type Sdk } from './sdk.js'

export interface Registrations {
  /** Statuses of the campaigns of a Messaging Service, as Twilio words them: VERIFIED, IN_PROGRESS, FAILED, … */
  listCampaigns(serviceSid: string, call: Call): Promise<readonly string[]>
  /** Verifications of a toll-free number (PN…). */
  listTollFree(numberSid: string, call: Call): Promise<readonly TollFreeVerification[]>
}

export interface TollFreeVerification {
  readonly status: 'PENDING_REVIEW' | 'IN_REVIEW' | 'TWILIO_APPROVED' | 'TWILIO_REJECTED'
  /** '' when it was not rejected. */
  readonly reason: string
}

export function createRegistrations(sdk: Sdk): Registrations {
  return {
    async listCampaigns(serviceSid, call) {
      const rows = await rowsOf(sdk(call).messaging.v1.services(serviceSid).usAppToPerson.page({ pageSize }))
      return rows.map(({ campaignStatus }) => campaignStatus ?? '')
    },
    async listTollFree(tollfreePhoneNumberSid, call) {
      const { tollfreeVerifications } = sdk(call).messaging.v1
      const rows = await rowsOf(tollfreeVerifications.page({ tollfreePhoneNumberSid, pageSize }))
      return rows.map(({ status, rejectionReason }) => ({ status, reason: rejectionReason ?? '' }))
    },
  }
}
