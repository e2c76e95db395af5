// A store with a long past: a million settled deliveries in 200,000 lanes, written straight into the file.
import { Connection } from '../../../dist/store/sqlite/connection.js'

const day = 86_400_000
/** Days over which the past is spread. */
const days = 90
const numbers = 10
const customers = 10_000
const deliveries = 1_000_000

/** Ten numbers of ours and ten thousand customers, all from ranges kept for fiction. */
const ours = (n) => `printf('+155501002%02d', ${n})`
const theirs = (c) => `printf('+1%03d55501%02d', 201 + (${c}) / 100, (${c}) % 100)`
const conversation = (n, c) => `printf('215%012d', (${n}) * 100000 + (${c}))`
const contact = (c) => `printf('%08x%016x', 1700000000 + (${c}), (${c}))`
/** Spread evenly over all keys, so that new random ones fall anywhere between them. */
const spread = (prefix, i) => `printf('${prefix}%08x%024x', (${i}) * 4294, (${i}))`

const counted = (upTo) => `with recursive one(i) as (select 0 union all select i + 1 from one where i + 1 < ${upTo})`

/** Text i is of direction i % 2, number and customer follow, so that each lane gets five, far apart in time. */
function rows(now) {
  return `${counted(deliveries)}, text as (
    select i, i % 2 as reply, (i / 2) % ${numbers} as n, (i / ${2 * numbers}) % ${customers} as c,
      ${Math.trunc(now - days * day)} + i * ${(days * day) / deliveries} as at,
      case when i % 50000 = 7 then 'parked' when i % 200 = 3 then 'suppressed' else 'delivered' end as state
    from one)`
}

const fault = `'{"message":"intercom refused POST /conversations/{id}/reply with 422: Body is too long","outcome":"permanent","shore":"intercom","code":"parameter_invalid","status":422}'`

const lastStatus = `case when i % 100 = 9 then 'undelivered' else 'delivered' end`

const statements = (now) => [
  `${rows(now)}
  insert into deliveries (kind, dedupe_key, lane, shore, priority, number, rank, payload, state, attempts, received_at,
    settled_at, reason, fault, result)
  select case reply when 1 then 'agent-reply' else 'inbound-sms' end,
    case reply when 1 then printf('intercom:part:%d', 30000000000 + i * 7) else 'twilio:' || ${spread('SM', 'i')} end,
    case reply when 1 then 'out:' else 'in:' end || ${ours('n')} || ':' || ${theirs('c')},
    case reply when 1 then 'twilio' else 'intercom' end, 'live', ${ours('n')},
    case reply when 1 then printf('%015d:%020d', at / 1000 * 1000, 30000000000 + i * 7) else '' end,
    case reply when 1 then json_object('conversationId', ${conversation('n', 'c')}, 'partId', printf('%d', 30000000000 + i * 7),
        'author', json_object('kind', 'admin', 'id', '991267459'), 'body', printf('<p>It left this morning, number %d. Anything else?</p>', i),
        'attachments', json_array(), 'writtenAt', at / 1000 * 1000)
      else json_object('messageSid', ${spread('SM', 'i')}, 'from', ${theirs('c')}, 'to', ${ours('n')},
        'body', printf('Hello, where is my parcel number %d? I have waited for a week.', i), 'media', json_array(),
        'city', 'ANYTOWN', 'state', 'CA', 'zip', '94105', 'country', 'US') end,
    state, case state when 'suppressed' then 0 else 1 end, at, at + 900,
    case state when 'suppressed' then 'nothing to send' when 'parked' then 'parameter_invalid' end,
    case state when 'parked' then ${fault} end,
    case when state <> 'delivered' then null
      when reply = 1 then json_object('messageSids', json_array(${spread('SM', 'i')}), 'to', ${theirs('c')}, 'from', ${ours('n')})
      else json_object('conversationId', ${conversation('n', 'c')}, 'contactId', ${contact('c')}, 'partId', printf('%d', 31000000000 + i)) end
  from text order by i`,
  `insert into lanes (lane, shore, priority, next_at, owner) select distinct lane, shore, priority, null, null from deliveries order by lane`,
  `insert into attempts (delivery_id, ended_at, state, fault) select id, settled_at, state, fault from deliveries order by id`,
  `insert into threads (ours, theirs, reply_to, contact_id, conversation_id, updated_at)
  select ${ours('i % 10')}, ${theirs('i / 10')}, ${theirs('i / 10')}, ${contact('i / 10')}, ${conversation('i % 10', 'i / 10')}, ${Math.trunc(now)}
  from (${counted(numbers * customers)} select i from one) order by 1, 2`,
  `insert into conversations (conversation_id, ours, theirs) select conversation_id, ours, theirs from threads order by 1`,
  `insert into contacts (theirs, contact_id, updated_at)
  select ${theirs('i')}, ${contact('i')}, ${Math.trunc(now)} from (${counted(customers)} select i from one) order by 1`,
  ...[`'queued'`, `'sent'`, lastStatus].map(
    (status, step) => `${rows(now)}
  insert into receipts (message_sid, status, error_code, ref, received_at)
  select ${spread('SM', 'i')}, ${status}, case ${status} when 'undelivered' then 30003 else 0 end, (i + 1) || '.0',
    at + ${900 + step * 1000} from text
  where reply = 1 and state = 'delivered' order by i`,
  ),
  `${rows(now)}
  insert into texts (message_sid, ref, status, error_code, conflict_at, updated_at)
  select ${spread('SM', 'i')}, (i + 1) || '.0', ${lastStatus},
    case ${lastStatus} when 'undelivered' then 30003 end, null, at + 2900 from text
  where reply = 1 and state = 'delivered' order by i`,
  `insert into totals (slot, day, number, kind, received, delivered, suppressed, parked, discarded, recovered, last_at)
  select 0, date(received_at / 1000, 'unixepoch'), number, kind, count(*), sum(state = 'delivered'),
    sum(state = 'suppressed'), sum(state = 'parked'), 0, 0, max(received_at)
  from deliveries group by 1, 2, 3 order by 1, 2, 3`,
]

/** Makes the file. The store's own settings are set aside meanwhile: nothing is lost when this has to begin again. */
export async function fillMillion(path, now) {
  const connection = await Connection.open(path, now)
  try {
    connection.exec('pragma journal_mode = off')
    connection.exec('pragma synchronous = off')
    connection.exec('begin')
    for (const statement of statements(now)) connection.exec(statement)
    connection.exec('commit')
    connection.exec('pragma journal_mode = wal')
  } finally {
    connection.close()
  }
}

/** Runs one query beside whoever has the store open. */
export async function query(path, sql) {
  const connection = await Connection.open(path, Date.now())
  try {
    return await connection.query(sql, [])
  } finally {
    connection.close()
  }
}
