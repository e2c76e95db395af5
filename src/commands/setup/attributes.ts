// Contact attributes that the bridge fills where the workspace has them.
import { describeError } from '../../errors.js'
import type { Call } from '../../transport.js'
import type { Intercom } from './vendors.js'

export const wantedAttributes: readonly string[] = ['city', 'state', 'country']

export interface CreatedAttributes {
  readonly created: readonly string[]
  readonly failures: readonly string[]
}

export async function createAttributes(
  { workspace }: Pick<Intercom, 'workspace'>,
  names: readonly string[],
  call: Call,
): Promise<CreatedAttributes> {
  const created: string[] = []
  const failures: string[] = []
  for (const name of names) {
    try {
      await workspace.createContactAttribute(
        name,
        `${name} of the customer, as the carrier tells it (sms-bridge)`,
        call,
      )
      created.push(name)
    } catch (error) {
      failures.push(`attribute ${name}: ${describeError(error)}`)
    }
  }
  return { created, failures }
}
