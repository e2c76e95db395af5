// Intercom's error codes in plain words, one row a code. The codes are those its pages on errors list; the page says
// what the status means, rarely what the code does, so the advice keeps to what is known.

/** Nobody: it passes by itself. Us: only a change of this program helps. */
export type IntercomFixer = 'admin' | 'agent' | 'nobody' | 'us'

export interface IntercomAdvice {
  readonly title: string
  readonly advice: string
  readonly fixer: IntercomFixer
}

const newToken =
  'Make a new access token in the Developer Hub and set INTERCOM_ACCESS_TOKEN; nothing is posted until then.'
const badRequest = 'Intercom understood the call but not what was in it. That is an error of this program.'
const busy = 'Intercom was asked too much at once. What waits goes on by itself.'
const broken = 'Intercom had a fault of its own. It is tried again by itself.'
const gone = 'What was asked for is no longer there: a contact or conversation that was deleted or merged.'
const permission =
  'The access token may not do this. Tick the permission of this app in the Developer Hub, then make a new token.'

// biome-ignore format: one row a code reads as a table
const rows: readonly (readonly [code: string, fixer: IntercomFixer, title: string, advice: string])[] = [
  ['unauthorized', 'admin', 'Access token refused', newToken],
  ['missing_authorization', 'admin', 'No access token was sent', newToken],
  ['token_not_found', 'admin', 'Access token unknown', newToken],
  ['token_unauthorized', 'admin', 'Access token may not do this', permission],
  ['token_revoked', 'admin', 'Access token revoked', newToken],
  ['token_blocked', 'admin', 'Access token blocked', newToken],
  ['token_suspended', 'admin', 'Access token suspended', 'The app or its workspace is suspended. Ask Intercom why, then make a new token.'],
  ['token_expired', 'admin', 'Access token expired', newToken],
  ['forbidden', 'admin', 'Forbidden', permission],
  ['action_forbidden', 'admin', 'Action forbidden', permission],
  ['api_plan_restricted', 'admin', 'Not in the workspace’s plan', 'The subscription lapsed or does not hold this feature. Look at the plan in the workspace’s billing settings.'],
  ['admin_not_found', 'admin', 'Teammate unknown', 'The teammate in whose name this was done no longer exists. Correct INTERCOM_ADMIN_ID, or leave it out.'],
  ['team_not_found', 'admin', 'Team unknown', 'The team conversations are assigned to no longer exists. Correct SMS_BRIDGE_TEAMS.'],
  ['team_unavailable', 'admin', 'Team not available', 'The team conversations are assigned to cannot be used. Correct SMS_BRIDGE_TEAMS or the team’s settings.'],
  ['custom_data_limit_reached', 'admin', 'Too many custom attributes', 'The workspace has used up its custom attributes. Archive some that nobody needs.'],
  ['not_found', 'agent', 'Not found', gone],
  ['conversation_part_or_message_not_found', 'agent', 'Message not found', gone],
  ['contact_merged', 'nobody', 'Contact merged', 'The contact was merged into another one. It is looked up anew when this is tried again.'],
  ['not_restorable', 'agent', 'Cannot be restored', 'What was asked for was deleted for good.'],
  ['conflict', 'nobody', 'Conflict', 'Something of the kind exists already or was changed at the same moment. It is looked up anew when this is tried again.'],
  ['resource_conflict', 'nobody', 'Conflict', 'Something of the kind exists already or was changed at the same moment. It is looked up anew when this is tried again.'],
  ['rate_limit_exceeded', 'nobody', 'Rate limit exceeded', busy],
  ['too_many_requests', 'nobody', 'Too many requests', busy],
  ['retry_after', 'nobody', 'Asked to wait', busy],
  ['request_timeout', 'nobody', 'Took too long', broken],
  ['server_error', 'nobody', 'Server error', broken],
  ['service_unavailable', 'nobody', 'Service unavailable', broken],
  ['client_error', 'us', 'Refused', badRequest],
  ['bad_request', 'us', 'Bad request', badRequest],
  ['type_mismatch', 'us', 'Value of the wrong type', badRequest],
  ['parameter_not_found', 'us', 'Parameter not found', badRequest],
  ['parameter_missing', 'us', 'Parameter missing', badRequest],
  ['missing_parameter', 'us', 'Parameter missing', badRequest],
  ['parameter_invalid', 'us', 'Parameter invalid', badRequest],
  ['data_invalid', 'us', 'Data invalid', badRequest],
  ['unprocessable_entity', 'us', 'Cannot be processed', badRequest],
  ['unsupported', 'us', 'Not supported', badRequest],
  ['intercom_version_invalid', 'us', 'API version unknown', 'Intercom no longer knows the version of its API that this program speaks. Upgrade sms-bridge.'],
  ['invalid_sort_order', 'us', 'Sort order unknown', badRequest],
  ['job_closed', 'us', 'Job closed', badRequest],
  ['tag_not_found', 'admin', 'Tag unknown', 'The tag no longer exists. Make it again in the workspace’s settings.'],
]

const advices: ReadonlyMap<string, IntercomAdvice> = new Map(
  rows.map(([code, fixer, title, advice]) => [code, { title, advice, fixer }]),
)

export const intercomCodes: readonly string[] = [...advices.keys()]

/** Plain words about a code; undefined for one we do not know. */
export function explainIntercomCode(code: string): IntercomAdvice | undefined {
  return advices.get(code)
}
