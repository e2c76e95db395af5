// The load generator, a process of its own: raw sockets, kept alive, one request at a time on each.
import { once } from 'node:events'
import { connect } from 'node:net'
import { answerCalls } from '../lib/children.mjs'
import { percentile } from '../lib/stats.mjs'
import { buildRequests } from '../lib/webhook-requests.mjs'

let requests = []
/** Kept-alive connections by port. */
const open = new Map()
let port = 0

async function linesTo(count) {
  const lines = (open.get(port) ?? []).filter((line) => !line.closed)
  open.set(port, lines)
  while (lines.length < count) {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    lines.push(new Line(socket))
  }
  return lines.slice(0, count)
}

/** One kept-alive connection. */
class Line {
  #socket
  #answer = ''
  #done = () => {}
  closed = false

  constructor(socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      this.#answer += chunk
      const status = statusWhenWhole(this.#answer)
      if (status === undefined) return
      this.#answer = ''
      this.#done(status)
    })
    socket.on('close', () => {
      this.closed = true
      this.#done(0)
    })
    socket.on('error', () => {})
  }

  /** Resolves with the status, 0 when the connection broke. */
  send(request) {
    return new Promise((resolve) => {
      this.#done = resolve
      this.#socket.write(request)
    })
  }
}

function statusWhenWhole(text) {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const length = /^content-length: (\d+)/im.exec(text)
  const whole = length === null ? text.endsWith('\r\n0\r\n\r\n') : text.length >= end + 4 + Number(length[1])
  return whole ? Number(text.slice(9, 12)) : undefined
}

const now = () => performance.now()

function result(statuses, latencies, ms) {
  return {
    accepted: statuses.filter((status) => status === 200).length,
    others: [...new Set(statuses.filter((status) => status !== 200))],
    perSecond: statuses.length / (ms / 1000),
    least: Math.min(...latencies),
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    max: Math.max(...latencies),
  }
}

answerCalls({
  /** Builds and signs everything before the clock runs. */
  prepare(wanted) {
    port = wanted.port
    requests = buildRequests(wanted)
  },

  /** Each connection sends its next request when the last was answered; ends after `maxMs` or with the requests. */
  async closedLoop({ connections, maxMs }) {
    const lines = await linesTo(connections)
    const statuses = []
    const latencies = []
    let next = 0
    const begun = now()
    await Promise.all(
      lines.map(async (line) => {
        while (next < requests.length && now() - begun < maxMs) {
          const request = requests[next++]
          const sentAt = now()
          statuses.push(await line.send(request))
          latencies.push(now() - sentAt)
        }
      }),
    )
    return result(statuses, latencies, now() - begun)
  },

  /** One request every 1/perSecond, on time whatever the answers do; latency counts from when it was due. */
  async openLoop({ perSecond }) {
    const idle = await linesTo(4)
    const statuses = []
    const latencies = []
    const begun = now()
    const answers = []
    for (const [index, request] of requests.entries()) {
      const due = begun + (index * 1000) / perSecond
      while (now() < due) await new Promise((resolve) => setTimeout(resolve, Math.max(0, due - now() - 1)))
      const line = idle.pop() ?? (await linesTo(open.get(port).length + 1)).at(-1)
      const answered = line.send(request).then((status) => {
        statuses.push(status)
        latencies.push(now() - due)
        idle.push(line)
      })
      answers.push(answered)
    }
    await Promise.all(answers)
    return result(statuses, latencies, now() - begun)
  },
})
