/** An answer of the `error.list` kind, thrown by whatever finds the fault. */
export class ApiError extends Error {
  readonly status: number
  readonly code: string
  readonly headers: Readonly<Record<string, string>>
  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.code = code
    this.headers = headers
  }
}

export function errorList(requestId: string, code: string, message: string): Readonly<Record<string, unknown>> {
  return { type: 'error.list', request_id: requestId, errors: [{ code, message }] }
}

export const unauthorized = () => new ApiError(401, 'unauthorized', 'Access Token Invalid')
export const userNotFound = () => new ApiError(404, 'not_found', 'User Not Found')
export const resourceNotFound = () => new ApiError(404, 'not_found', 'Resource Not Found')
/** What the tag endpoints say where the others say "Resource Not Found". */
export const conversationNotFound = () => new ApiError(404, 'not_found', 'Conversation not found')
export const adminNotFound = () => new ApiError(404, 'admin_not_found', 'Admin not found')
export const invalid = (message: string) => new ApiError(400, 'parameter_invalid', message)
export const missing = (name: string) => new ApiError(400, 'parameter_missing', `${name} is required`)
