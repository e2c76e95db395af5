import type { DeliveryId } from '../../delivery.js'
import { redact } from '../../phone.js'
import type { AuditId, DeliveryFacts } from '../../store/desk.js'

export const deliveryName = (id: DeliveryId) => `d_${id}`
export const jobName = (id: AuditId) => `j_${id}`

/** The customer by their last four digits. */
export const customerOf = ({ theirs }: Pick<DeliveryFacts, 'theirs'>) => (theirs === '' ? 'unknown' : redact(theirs))

export const numberOf = ({ ours }: Pick<DeliveryFacts, 'ours'>) => (ours === '' ? 'unknown' : ours)
