// The tick boxes of the Developer Hub, and what each of them opens.
import type { Route } from './call.js'
import { ApiError } from './errors.js'

/** The first that fits is meant. */
const opens: readonly { readonly box: string; readonly methods: RegExp; readonly paths: RegExp }[] = [
  { box: 'Write users and companies', methods: /POST/, paths: /^\/contacts(\/\{id\}.*)?$/ },
  { box: 'Read and list users and companies', methods: /GET|POST/, paths: /^\/contacts(\/search)?$/ },
  { box: 'Read one user and one company', methods: /GET/, paths: /^\/contacts\/\{id\}$/ },
  { box: 'Write users and companies', methods: /PUT|DELETE/, paths: /^\/contacts\/\{id\}$/ },
  { box: 'Read tags', methods: /GET/, paths: /^\/tags/ },
  { box: 'Write tags', methods: /POST|DELETE/, paths: /^\/tags(\/\{id\})?$/ },
  { box: 'Write conversations', methods: /POST/, paths: /^\/conversations$/ },
  { box: 'Read conversations', methods: /GET|POST/, paths: /^\/conversations(\/search|\/\{id\})?$/ },
  { box: 'Write conversations', methods: /POST|PUT/, paths: /^\/conversations\/\{id\}/ },
  { box: 'Delete conversations and metrics', methods: /DELETE/, paths: /^\/conversations\/\{id\}$/ },
  { box: 'Write data attributes', methods: /POST/, paths: /^\/data_attributes$/ },
  { box: 'Read admins', methods: /GET/, paths: /^\/(admins|teams)$/ },
]

/** Throws what Intercom answers to a token whose app lacks a permission. */
export function refusePermission({ method, pattern }: Route, unticked: readonly string[]): void {
  const box = opens.find(({ methods, paths }) => methods.test(method) && paths.test(pattern))?.box
  if (box !== undefined && unticked.includes(box)) {
    throw new ApiError(403, 'forbidden', `You do not have the required scope (${box})`)
  }
}
