import { type HttpAnswer, json } from '../http.js'

/** Status and title of every code the twin answers with (https://www.twilio.com/docs/api/errors). */
const errors = {
  20003: [401, 'Permission Denied'],
  20404: [404, 'Not Found'],
  20429: [429, 'Too Many Requests'],
  20500: [500, 'Internal Server Error'],
  21211: [400, "Invalid 'To' Phone Number"],
  21212: [400, "Invalid 'From' Number"],
  21265: [400, "'To' number cannot be a Short Code"],
  21266: [400, "'To' and 'From' numbers cannot be the same"],
  21406: [400, 'Invalid SmsFallbackUrl: an SmsUrl is required'],
  21408: [400, "Permission to send an SMS or MMS has not been enabled for the region indicated by the 'To' number"],
  21602: [400, 'Message body is required'],
  21603: [400, "A 'From' or 'MessagingServiceSid' parameter is required to send a message"],
  21604: [400, "The destination 'To' phone number is required to send an SMS"],
  21606: [
    400,
    "The 'From' phone number provided is not a valid message-capable Twilio phone number for this destination/account",
  ],
  21609: [400, "Invalid 'StatusCallback'"],
  21610: [400, 'Attempt to send to unsubscribed recipient'],
  21611: [400, "This 'From' number has exceeded the maximum number of queued messages"],
  21612: [400, 'Message cannot be sent with the current combination of "To" and/or "From" parameters'],
  21614: [400, "'To' number is not a valid mobile number"],
  21617: [400, 'The concatenated message body exceeds the 1600 character limit'],
  21619: [400, 'A Message Body, Media URL or Content SID is required'],
  21620: [400, 'Invalid media URL(s)'],
  21623: [400, 'Number of media files exceeds allowed limit'],
  21624: [400, 'Invalid validity period value'],
  21701: [400, 'The Messaging Service does not exist'],
  21703: [400, 'The Messaging Service does not have a phone number available to send a message'],
  21704: [400, 'The Messaging Service contains no phone numbers'],
  21705: [400, 'The Messaging Service is invalid'],
  30409: [400, 'This message cannot be canceled'],
  35111: [400, 'SendAt timestamp is missing'],
  35114: [400, 'Scheduling does not support this timestamp'],
  35118: [400, 'MessagingServiceSid is required to schedule a message'],
} as const satisfies Record<number, readonly [status: number, title: string]>

export type TwilioCode = keyof typeof errors

/** Thrown with the code of the refusal. */
export class Refused extends Error {
  constructor(readonly code: TwilioCode) {
    super(`Twilio error ${code}`)
  }
}

/** The 2010 API's error body, as the SDK's RestException reads it. */
export function twilioError(code: TwilioCode): HttpAnswer {
  const [status, message] = errors[code]
  return json(status, { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status })
}

/** Titles of the codes messages commonly end with. */
const deliveryErrors: Readonly<Record<number, string>> = {
  14107: 'SMS send rate limit exceeded',
  21610: 'Attempt to send to unsubscribed recipient',
  30001: 'Queue overflow',
  30002: 'Account suspended',
  30003: 'Unreachable destination handset',
  30004: 'Message blocked',
  30005: 'Unknown destination handset',
  30006: 'Landline or unreachable carrier',
  30007: 'Message filtered',
  30008: 'Unknown error',
  30034: 'US A2P 10DLC - Message from an Unregistered Number',
  30036: 'Validity Period Expired',
  30038: 'OTP Message Body Filtered',
  30039: 'Filtered to Prevent Message Loops',
}

/** `error_message` of a message; null where it has none, as the API may. */
export function deliveryErrorTitle(code: number | null): string | null {
  return code === null ? null : (deliveryErrors[code] ?? null)
}
