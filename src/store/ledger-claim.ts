// Taking ownership of idle lanes that are due, and reading the head of each.
import { sql } from 'kysely'
import { type Delivery, type Lane, type Priority, type Shore, type Step, shores } from '../delivery.js'
import { isAmong, literal, statement, type Tx } from './statement.js'
import type { Claimed, InstanceId, Store } from './store.js'

const leaseOf = statement((db, args: { instance: InstanceId; now: number }, dialect) => {
  const lease = db
    .selectFrom('instances')
    .select('id')
    .where('id', '=', args.instance)
    .where('lease_until', '>', args.now)
  // Whoever buries this instance waits until the lanes taken here can be seen, and frees them too.
  return dialect === 'postgres' ? lease.forKeyShare() : lease
})

const pausedShores = statement((db, _args: object) => db.selectFrom('shores').select(['shore', 'until']))

const lockForProbe = statement((db, args: { shore: Shore; now: number }, dialect) => {
  const shore = db.selectFrom('shores').select('shore').where('shore', '=', args.shore).where('until', '<=', args.now)
  return dialect === 'postgres' ? shore.forUpdate().skipLocked() : shore
})

const ownedOfShore = statement((db, args: { shore: Shore }) =>
  db.selectFrom('lanes').select('lane').where('owner', 'is not', null).where('shore', '=', args.shore).limit(1),
)

const queues = (['live', 'bulk'] as const).flatMap((priority) => shores.map((shore) => ({ priority, shore })))

/** The earliest idle lane of each shore and priority. */
const earliest = statement((db, _args: object) => {
  const heads = queues.map(({ shore, priority }) =>
    db
      .selectFrom((eb) =>
        eb
          .selectFrom('lanes')
          .select(['shore', 'priority', sql<number>`next_at`.as('next_at')]) // never null here
          .where('shore', '=', literal(shore))
          .where('priority', '=', literal(priority))
          .where('owner', 'is', null)
          .where('next_at', 'is not', null)
          .orderBy('next_at')
          .limit(1)
          .as('head'),
      )
      .selectAll(),
  )
  return heads.reduce((all, head) => all.unionAll(head))
})

const takeLanes = statement(
  (db, args: { instance: InstanceId; shore: Shore; priority: Priority; now: number; limit: number }, dialect) =>
    db
      // Materialized: as a plain sub-select PostgreSQL may run it, and its limit, several times.
      .with(
        (cte) => cte('due').materialized(),
        (cte) => {
          const due = cte
            .selectFrom('lanes')
            .select('lane')
            .where('shore', '=', args.shore)
            .where('priority', '=', args.priority)
            .where('owner', 'is', null)
            .where('next_at', 'is not', null)
            .where('next_at', '<=', args.now)
            .orderBy('next_at')
            .orderBy('lane')
            .limit(args.limit)
          return dialect === 'postgres' ? due.forUpdate().skipLocked() : due
        },
      )
      .updateTable('lanes')
      .set({ owner: args.instance })
      .where('lane', 'in', (eb) => eb.selectFrom('due').select('lane'))
      .returning('lane'),
)

const headsOf = statement((db, args: { lanes: readonly Lane[] }, dialect) =>
  db
    .selectFrom('lanes')
    .innerJoin('deliveries as d', (join) =>
      join.on('d.id', '=', (eb) =>
        eb
          .selectFrom('deliveries as head')
          .select('head.id')
          .whereRef('head.lane', '=', 'lanes.lane')
          .where('head.state', '=', literal('ready'))
          .orderBy('head.rank')
          .orderBy('head.id')
          .limit(1),
      ),
    )
    .leftJoin('steps as s', 's.delivery_id', 'd.id')
    .select(['d.id', 'd.kind', 'd.dedupe_key', 'd.lane', 'd.shore', 'd.priority', 'd.number', 'd.rank'])
    .select(['d.payload', 'd.state', 'd.attempts', 'd.received_at', 'd.parkings', 'd.replays', 'd.parked_at'])
    .select(['s.name as step', 's.begun_at', 's.done_at', 's.value'])
    .where(isAmong(dialect, 'lanes.lane', args.lanes)),
)

const idleLanes = statement((db, args: { lanes: readonly Lane[] }, dialect) =>
  db
    .updateTable('lanes')
    .set({ owner: null, next_at: null })
    .where(isAmong(dialect, 'lane', args.lanes)),
)

type HeadRow = Awaited<ReturnType<typeof headsOf>>[number]

function toDeliveries(rows: readonly HeadRow[]): Delivery[] {
  const found = new Map<number, { row: HeadRow; steps: Record<string, Step> }>()
  for (const row of rows) {
    const head = found.get(row.id) ?? { row, steps: {} }
    found.set(row.id, head)
    if (row.step === null || row.begun_at === null) continue
    head.steps[row.step] = {
      begunAt: row.begun_at,
      ...(row.done_at === null ? {} : { doneAt: row.done_at }),
      ...(row.value === null ? {} : { value: JSON.parse(row.value) as unknown }),
    }
  }
  return [...found.values()].map(
    ({ row, steps }) =>
      ({
        id: row.id,
        kind: row.kind,
        payload: JSON.parse(row.payload),
        dedupeKey: row.dedupe_key,
        lane: row.lane,
        shore: row.shore,
        priority: row.priority,
        number: row.number,
        rank: row.rank,
        state: row.state,
        attempts: row.attempts,
        receivedAt: row.received_at,
        parkings: row.parkings,
        replays: row.replays,
        ...(row.parked_at === null ? {} : { parkedAt: row.parked_at }),
        steps,
      }) as Delivery, // kind and payload were written together from one NewDelivery
  )
}

/** How many lanes of each paused shore may be taken now; shores that are not paused are absent. */
async function probesAllowed(tx: Tx, now: number): Promise<Map<Shore, number>> {
  const allowed = new Map<Shore, number>()
  for (const { shore, until } of await pausedShores(tx, {})) {
    // The lock keeps two processes from probing at once; whoever does not get it leaves the probe to the other.
    const mayProbe = until <= now && (await lockForProbe(tx, { shore, now })).length > 0
    allowed.set(shore, mayProbe && (await ownedOfShore(tx, { shore })).length === 0 ? 1 : 0)
  }
  return allowed
}

export async function claim(tx: Tx, request: Parameters<Store['claim']>[0]): Promise<Claimed[]> {
  const { instance, limit, bulkLimit, atMost, now } = request
  if ((await leaseOf(tx, { instance, now })).length === 0) return []
  const due = (await earliest(tx, {})).filter((queue) => queue.next_at <= now)
  if (due.length === 0) return []
  due.sort((a, b) => Number(a.priority === 'bulk') - Number(b.priority === 'bulk') || a.next_at - b.next_at)
  const probes = await probesAllowed(tx, now)

  const taken: Delivery[] = []
  const takenOf = (shore: Shore) => taken.filter((one) => one.shore === shore).length
  let bulkTaken = 0
  for (const { shore, priority } of due) {
    for (;;) {
      const room = Math.min(
        limit - taken.length,
        (atMost?.[shore] ?? limit) - takenOf(shore),
        priority === 'bulk' ? bulkLimit - bulkTaken : limit,
        probes.get(shore) ?? limit,
      )
      if (room < 1) break
      const lanes = (await takeLanes(tx, { instance, shore, priority, now, limit: room })).map(({ lane }) => lane)
      if (lanes.length === 0) break
      const heads = toDeliveries(await headsOf(tx, { lanes }))
      heads.sort((a, b) => a.receivedAt - b.receivedAt || a.id - b.id)
      taken.push(...heads)
      if (priority === 'bulk') bulkTaken += heads.length
      const probesLeft = probes.get(shore)
      if (probesLeft !== undefined) probes.set(shore, probesLeft - heads.length)
      if (heads.length === lanes.length) break
      // A webhook told twice wakes a lane that has nothing to do; look on for lanes that have.
      const busy = new Set(heads.map(({ lane }) => lane))
      await idleLanes(tx, { lanes: lanes.filter((lane) => !busy.has(lane)) })
    }
  }
  return taken.map((delivery) => ({ delivery, instance }))
}

const nextRetry = statement((db, _args: object) =>
  db
    .selectFrom('deliveries')
    .select(sql<number>`retry_at`.as('retry_at')) // never null here
    .where('state', '=', literal('parked'))
    .where('retry_at', 'is not', null)
    .orderBy('retry_at')
    .limit(1),
)

export async function nextDue(tx: Tx): Promise<number | undefined> {
  const lanes = (await earliest(tx, {})).map((queue) => queue.next_at)
  const retries = (await nextRetry(tx, {})).map((row) => row.retry_at)
  const times = [...lanes, ...retries]
  return times.length === 0 ? undefined : Math.min(...times)
}
