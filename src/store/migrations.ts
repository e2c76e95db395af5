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
  /** The UTC day, `2026-11-30`, of a column of epoch milliseconds. */
  readonly dayOf: (column: string) => string
}

const words: Readonly<Record<Dialect, Words>> = {
  sqlite: {
    text: 'text',
    time: 'integer',
    identity: 'integer primary key autoincrement',
    clustered: ' without rowid',
    dayOf: (column) => `date(${column} / 1000, 'unixepoch')`,
  },
  postgres: {
    text: 'text collate "C"',
    time: 'bigint',
    identity: 'bigint generated always as identity primary key',
    clustered: '',
    dayOf: (column) => `to_char(to_timestamp(${column} / 1000) at time zone 'UTC', 'YYYY-MM-DD')`,
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

/** Dead letters that come back by themselves, reconciliation, and books kept by the day a delivery was received. */
const second = ({ text, time, identity, clustered, dayOf }: Words): string => `
alter table deliveries add column recovered_at ${time};
alter table deliveries add column parked_at ${time};
alter table deliveries add column retry_at ${time};
alter table deliveries add column hold_until ${time};
alter table deliveries add column parkings integer not null default 0;
alter table deliveries add column replays integer not null default 0;
alter table deliveries add column replay_id ${time};
update deliveries set parked_at = settled_at, parkings = 1 where state = 'parked';
create index deliveries_retry on deliveries (retry_at) where state = 'parked' and retry_at is not null;
create index deliveries_held on deliveries (lane) where state = 'parked' and retry_at is not null;
create index deliveries_replayed on deliveries (replay_id) where replay_id is not null;
create index deliveries_discarded on deliveries (settled_at) where state = 'discarded';

drop index deliveries_waiting;
create index deliveries_waiting on deliveries (received_at, number, kind, run_at) where state = 'ready';

alter table instances add column beat_at ${time};

alter table texts add column poll_at ${time};
create index texts_to_poll on texts (poll_at) where poll_at is not null;

drop table totals;
create table totals (
  day ${text} not null,
  number ${text} not null,
  kind ${text} not null,
  slot integer not null,
  received integer not null,
  delivered integer not null,
  suppressed integer not null,
  parked integer not null,
  discarded integer not null,
  recovered integer not null,
  last_at ${time} not null,
  primary key (day, number, kind, slot)
)${clustered};
insert into totals (day, number, kind, slot, received, delivered, suppressed, parked, discarded, recovered, last_at)
select ${dayOf('received_at')}, number, kind, 0, count(*),
  sum(case state when 'delivered' then 1 else 0 end), sum(case state when 'suppressed' then 1 else 0 end),
  sum(case state when 'parked' then 1 else 0 end), 0, 0, max(received_at)
from deliveries group by 1, 2, 3;

create table duties (
  name ${text} primary key,
  holder ${text} not null,
  until ${time} not null
)${clustered};

create table marks (
  name ${text} primary key,
  at ${time} not null,
  value ${text}
)${clustered};

create table numbers (
  number ${text} primary key,
  kind ${text} not null,
  state ${text} not null,
  detail ${text},
  checked_at ${time} not null
)${clustered};

create table opt_outs (
  ours ${text} not null,
  theirs ${text} not null,
  since ${time} not null,
  source ${text} not null,
  primary key (ours, theirs)
)${clustered};

create table audit (
  id ${identity},
  at ${time} not null,
  actor ${text} not null,
  action ${text} not null,
  detail ${text} not null
);
`

const versions = [first, second]

export const schemaVersion = versions.length

/** What takes a database from one version to another, in one transaction; the version itself included. */
export function migrationFrom(version: number, dialect: Dialect, now: number, to: number = schemaVersion): string {
  const meta = `create table meta (name text primary key, value integer not null, changed_at ${words[dialect].time} not null);
insert into meta values ('schema_version', 0, 0);`
  const steps = versions.slice(version, to).map((write) => write(words[dialect]))
  const stamp = `update meta set value = ${to}, changed_at = ${Math.trunc(now)} where name = 'schema_version';`
  return [...(version === 0 ? [meta] : []), ...steps, stamp].join('\n')
}

export const readVersion = `select value from meta where name = 'schema_version'`
