// One entry per schema version, never changed once released. Plain SQL: what a version was must not depend on what
// a query builder makes of it later.
import type { Dialect } from './statement.js'

interface Words {
  /** Compared byte by byte on both engines: a PostgreSQL collation would order lanes and ranks differently. */
  readonly text: string
  readonly time: string
  readonly identity: string
  /** SQLite can keep a table in its primary key alone. */
  readonly clustered: string
}

const words: Readonly<Record<Dialect, Words>> = {
  sqlite: {
    text: 'text',
    time: 'integer',
    identity: 'integer primary key autoincrement',
    clustered: ' without rowid',
  },
  postgres: {
    text: 'text collate "C"',
    time: 'bigint',
    identity: 'bigint generated always as identity primary key',
    clustered: '',
  },
}

const first = ({ text, time, identity, clustered }: Words): string => `
create table deliveries (
  id ${identity},
  kind ${text} not null,
  dedupe_key ${text} not null unique,
  lane ${text} not null,
  shore ${text} not null,
  priority ${text} not null,
  number ${text} not null,
  rank ${text} not null,
  payload ${text} not null,
  state ${text} not null,
  attempts integer not null default 0,
  received_at ${time} not null,
  run_at ${time},
  settled_at ${time},
  reason ${text},
  fault ${text},
  result ${text}
);
create index deliveries_order on deliveries (lane, rank, id) where state = 'ready';
create index deliveries_waiting on deliveries (received_at) where state = 'ready';
create index deliveries_parked on deliveries (id) where state = 'parked';
create index deliveries_suppressed on deliveries (id) where state = 'suppressed';

create table lanes (
  lane ${text} primary key,
  shore ${text} not null,
  priority ${text} not null,
  next_at ${time},
  owner ${text}
)${clustered};
create index lanes_due on lanes (shore, priority, next_at, lane) where owner is null and next_at is not null;
create index lanes_owned on lanes (owner) where owner is not null;

create table steps (
  delivery_id ${time} not null,
  name ${text} not null,
  begun_at ${time} not null,
  done_at ${time},
  value ${text},
  primary key (delivery_id, name)
)${clustered};

create table attempts (
  delivery_id ${time} not null,
  ended_at ${time} not null,
  state ${text} not null,
  fault ${text}
);
create index attempts_of on attempts (delivery_id);

create table instances (
  id ${text} primary key,
  started_at ${time} not null,
  lease_until ${time} not null
)${clustered};

create table limits (
  key ${text} primary key,
  tat double precision,
  per_ms double precision,
  burst double precision,
  ruled_at ${time},
  held_until ${time}
)${clustered};

create table shores (
  shore ${text} primary key,
  reason ${text} not null,
  paused_at ${time} not null,
  until ${time} not null,
  failures integer not null
)${clustered};

create table threads (
  ours ${text} not null,
  theirs ${text} not null,
  reply_to ${text} not null,
  contact_id ${text} not null,
  conversation_id ${text} not null,
  updated_at ${time} not null,
  primary key (ours, theirs)
)${clustered};

create table conversations (
  conversation_id ${text} primary key,
  ours ${text} not null,
  theirs ${text} not null
)${clustered};

create table contacts (
  theirs ${text} primary key,
  contact_id ${text},
  locked_by ${time},
  locked_until ${time},
  updated_at ${time} not null
)${clustered};
create index contacts_known on contacts (contact_id) where contact_id is not null;

create table receipts (
  message_sid ${text} not null,
  status ${text} not null,
  error_code integer not null,
  ref ${text},
  received_at ${time} not null,
  primary key (message_sid, status, error_code)
)${clustered};

create table texts (
  message_sid ${text} primary key,
  ref ${text},
  status ${text} not null,
  error_code integer,
  conflict_at ${time},
  updated_at ${time} not null
)${clustered};
create index texts_by_ref on texts (ref) where ref is not null;
create index texts_in_conflict on texts (conflict_at) where conflict_at is not null;
create index texts_failed on texts (updated_at, error_code) where status in ('undelivered', 'failed');

create table totals (
  day ${text} not null,
  number ${text} not null,
  kind ${text} not null,
  slot integer not null,
  received integer not null,
  delivered integer not null,
  suppressed integer not null,
  parked integer not null,
  primary key (day, number, kind, slot)
)${clustered};
`

const versions = [first]

export const schemaVersion = versions.length

/** What takes a database from one version to the newest, in one transaction; the version itself included. */
export function migrationFrom(version: number, dialect: Dialect, now: number): string {
  const meta = `create table meta (name text primary key, value integer not null, changed_at ${words[dialect].time} not null);
insert into meta values ('schema_version', 0, 0);`
  const steps = versions.slice(version).map((write) => write(words[dialect]))
  const stamp = `update meta set value = ${schemaVersion}, changed_at = ${Math.trunc(now)} where name = 'schema_version';`
  return [...(version === 0 ? [meta] : []), ...steps, stamp].join('\n')
}

export const readVersion = `select value from meta where name = 'schema_version'`
