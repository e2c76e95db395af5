// Reads what `strace -f -ttt -y` writes of the calls that matter: requests read, log written and flushed, answers sent.

export const interesting = 'read,write,writev,pwrite64,fsync,fdatasync,sync_file_range'

const whole = /^(\d+) +(\d+\.\d+) (\w+)\((.*)$/
const resumed = /^(\d+) +(\d+\.\d+) <\.\.\. (\w+) resumed>(.*)$/

/** Events in the order in which they ended. `since` and `at` are their begin and end, epoch ms. */
export function readTrace(text, mainThread) {
  const open = new Map()
  const events = []
  for (const line of text.split('\n')) {
    const [, thread, time, call, rest] = whole.exec(line) ?? resumed.exec(line) ?? []
    if (thread === undefined) continue
    const at = Number(time) * 1000
    const begun = resumed.test(line) ? open.get(thread) : { since: at, rest: '' }
    if (begun === undefined) continue
    const all = begun.rest + rest
    if (line.endsWith('<unfinished ...>')) {
      open.set(thread, { since: at, rest: all.replace(' <unfinished ...>', '') })
      continue
    }
    open.delete(thread)
    const meaning = meaningOf(call, all)
    if (meaning !== undefined) {
      events.push({
        ...meaning,
        call,
        since: begun.since,
        at,
        thread: Number(thread) === mainThread ? 'main' : 'writer',
      })
    }
  }
  return events
}

function meaningOf(call, rest) {
  const [, file, name] = /^(\d+<([^>]*)>)/.exec(rest) ?? []
  if (name === undefined) return undefined
  if (/\.sqlite(-wal)?$/.test(name)) {
    const kind = name.endsWith('-wal') ? 'the log' : 'the database'
    return { file, kind, what: /sync/.test(call) ? 'flushed' : 'written' }
  }
  if (!/^(socket|TCP)/.test(name)) return undefined
  const text = /"(POST [^"\\]*|HTTP\/1\.1 \d+ \w+)/.exec(rest)?.[1]
  if (text === undefined) return undefined
  return { file, kind: 'socket', text, what: text.startsWith('POST') ? 'request' : 'answer' }
}
