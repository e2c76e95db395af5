import { UserError } from '../errors.js'
import { schemaVersion } from './migrations.js'

/** True when the store must be migrated first. Throws when a newer program has been here. */
export function mustMigrate(version: number, name: string): boolean {
  if (version > schemaVersion) {
    throw new UserError(
      `The store ${name} has schema version ${version}, and this sms-bridge knows ${schemaVersion} at most. ` +
        'An older program must not write into it. Upgrade with `npm install -g sms-bridge@latest`; or go back to what the ' +
        'store was: restore the copy that the newer one kept beside it, or set SMS_BRIDGE_STORE to another store.',
    )
  }
  return version < schemaVersion
}

/** For those who only look: they may not migrate. Throws when the store is of another version. */
export function mustBeCurrent(version: number, name: string): void {
  if (!mustMigrate(version, name)) return
  const what = version === 0 ? 'has no tables yet' : `has schema version ${version}, older than this sms-bridge`
  throw new UserError(`The store ${name} ${what}. Start the bridge of this version once: sms-bridge serve`, {
    exitCode: 4,
  })
}
