// Intercom's contact search lags minutes behind creation: this memory, not search, prevents twins.
import { sql } from 'kysely'
import type { DeliveryId } from '../delivery.js'
import type { ContactId } from '../message.js'
import type { Address } from '../phone.js'
import { statement, type Tx } from './statement.js'

const find = statement((db, args: { theirs: Address }) =>
  db.selectFrom('contacts').select('contact_id').where('theirs', '=', args.theirs),
)

const save = statement((db, args: { theirs: Address; contactId: ContactId; now: number }) =>
  db
    .insertInto('contacts')
    .values({ theirs: args.theirs, contact_id: args.contactId, updated_at: args.now })
    .onConflict((oc) =>
      oc.column('theirs').doUpdateSet({
        contact_id: sql`excluded.contact_id`,
        locked_by: null,
        locked_until: null,
        updated_at: sql`excluded.updated_at`,
      }),
    ),
)

const forget = statement((db, args: { theirs: Address; contactId: ContactId }) =>
  db.deleteFrom('contacts').where('theirs', '=', args.theirs).where('contact_id', '=', args.contactId),
)

const known = statement((db, args: { contactId: ContactId }) =>
  db.selectFrom('contacts').select('theirs').where('contact_id', '=', args.contactId).limit(1),
)

const lock = statement((db, args: { theirs: Address; by: DeliveryId; until: number; now: number }) =>
  db
    .insertInto('contacts')
    .values({ theirs: args.theirs, locked_by: args.by, locked_until: args.until, updated_at: args.now })
    .onConflict((oc) =>
      oc
        .column('theirs')
        .doUpdateSet({
          locked_by: sql`excluded.locked_by`,
          locked_until: sql`excluded.locked_until`,
          updated_at: sql`excluded.updated_at`,
        })
        // Both are null once a contact is known, and null is neither ours nor over.
        .where((eb) =>
          eb.or([
            eb('contacts.locked_by', '=', sql<number>`excluded.locked_by`),
            eb('contacts.locked_until', '<=', sql<number>`excluded.updated_at`),
          ]),
        ),
    )
    .returning('theirs'),
)

export async function findContact(tx: Tx, theirs: Address): Promise<ContactId | undefined> {
  return (await find(tx, { theirs }))[0]?.contact_id ?? undefined
}

export async function saveContact(tx: Tx, theirs: Address, contactId: ContactId, now: number): Promise<void> {
  await save(tx, { theirs, contactId, now })
}

export async function forgetContact(tx: Tx, theirs: Address, contactId: ContactId): Promise<void> {
  await forget(tx, { theirs, contactId })
}

export async function isKnownContact(tx: Tx, contactId: ContactId): Promise<boolean> {
  return (await known(tx, { contactId })).length > 0
}

/** Refused, too, when a contact has become known meanwhile: its finder must not go looking for another. */
export async function lockContact(
  tx: Tx,
  theirs: Address,
  by: DeliveryId,
  until: number,
  now: number,
): Promise<boolean> {
  return (await lock(tx, { theirs, by, until, now })).length > 0
}
