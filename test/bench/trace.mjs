import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { startModule } from './lib/children.mjs'
import { sleep, startServe } from './lib/serve.mjs'
import { interesting, readTrace } from './lib/strace.mjs'

const tracer = 'strace'

export const about = 'the system calls of serve for one webhook and for 64 at once: read, fsync, answer'
export const usesStore = false

export async function measure({ folder, newStore, print }) {
  if (spawnSync(tracer, ['-V']).status !== 0) {
    print('  skipped: strace is not installed')
    return []
  }
  const output = join(folder, 'strace')
  // -D: strace stands aside, so that the child is serve itself. The filter keeps all other calls at full speed.
  const wrap = [tracer, '-D', '-f', '--seccomp-bpf', '-ttt', '-y', '-s', '40', '-e', `trace=${interesting}`]
  const store = await newStore()
  const serve = await startServe({ folder, store, wrap: [...wrap, '-o', output] })
  const load = startModule('load.mjs')
  let sent = 0
  const shoot = async (count) => {
    await load.call('prepare', { port: serve.port, first: sent, count, lanes: 1_000 })
    sent += count
    const begun = Date.now()
    await load.call('closedLoop', { connections: count, maxMs: 10_000 })
    return { begun, ended: Date.now() }
  }
  // The connections and the code are warm, and the relay rests.
  for (let warm = 0; warm < 10; warm += 1) await shoot(64)
  await serve.rests()
  const alone = await shoot(1)
  const together = await shoot(64)
  // strace writes a little later than things happen.
  await sleep(500)
  await serve.stop()
  await load.end()

  const events = readTrace(readFileSync(output, 'utf8'), serve.pid)
  const of = ({ begun, ended }) => events.filter(({ at }) => at >= begun && at <= ended + 1)
  return [
    ...show(of(alone), { title: 'one webhook alone', requests: 1, print }),
    ...show(of(together), { title: '64 at once', requests: 64, print }),
  ]
}

function show(events, { title, requests, print }) {
  const first = events.findIndex(({ what }) => what === 'request')
  const last = events.findLastIndex(({ what }) => what === 'answer')
  const shown = events.slice(first, last + 1)
  print(`  ${title}`)
  for (const line of linesOf(shown)) print(`    ${line}`)
  const answers = shown.filter(({ what }) => what === 'answer')
  const kept = answers.filter((answer) => isFlushedBefore(answer, shown)).length
  const flushes = shown.filter(({ what }) => what === 'flushed').length
  return [
    { what: `${title}: flushes to disk`, value: flushes, unit: '', note: `for ${answers.length} answers` },
    {
      what: `${title}: answers after a flush of their own row`,
      value: kept,
      unit: '',
      note: kept === requests ? 'all' : 'NOT ALL',
    },
  ]
}

/** Its request was read before a flush began that ended before the answer. */
function isFlushedBefore(answer, events) {
  const request = events.find(({ what, file }) => what === 'request' && file === answer.file)
  return events.some(({ what, since, at }) => what === 'flushed' && since >= request.at && at <= answer.since)
}

/** One line for all that one thread did of a kind between two flushes. */
function linesOf(events) {
  const groups = []
  let turn = 0
  for (const event of events) {
    if (event.what === 'flushed') turn += 1
    const key = `${turn} ${event.thread} ${event.call} ${event.kind}`
    const group = groups.find((one) => one.key === key)
    if (group === undefined) groups.push({ key, event, count: 1 })
    else group.count += 1
  }
  const [start] = events
  return groups.map(({ event, count }) => {
    const at = `+${(event.at - start.at).toFixed(1)} ms`.padStart(10)
    const text = event.text === undefined ? '' : ` "${event.text}…"`
    return `${at}  ${event.thread.padEnd(6)}  ${`${count} ×`.padStart(4)} ${event.call} ${event.kind}${text}`
  })
}
