// What stands before several machines: takes each request to the next backend, and to the one after it when that one
// refuses or breaks the connection before it has answered.
import { Agent, createServer, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import { onTestFinished } from 'vitest'

export interface LoadBalancer {
  /** Ports of 127.0.0.1, in turn. */
  readonly backends: number[]
  /** Requests that no backend answered. */
  unanswered(): number
}

/** Listens on this port of 127.0.0.1 until the test is over. */
export async function startLoadBalancer(port: number): Promise<LoadBalancer> {
  const backends: number[] = []
  let [turn, unanswered] = [0, 0]
  const agent = new Agent({ keepAlive: true })

  const ask = (backend: number, { method, url, headers }: IncomingMessage, body: Buffer) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const asked = send({ agent, host: '127.0.0.1', port: backend, method, path: url, headers }, resolve)
      asked.on('error', reject)
      asked.end(body)
    })

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    turn += 1
    const order = backends.map((_, index) => backends[(turn + index) % backends.length] ?? 0)
    for (const backend of order) {
      try {
        const answer = await ask(backend, request, body)
        response.writeHead(answer.statusCode ?? 502, { 'content-type': answer.headers['content-type'] ?? 'text/plain' })
        for await (const chunk of answer) response.write(chunk)
        response.end()
        return
      } catch {
        // Refused or broken off: the next one's turn.
      }
    }
    unanswered += 1
    response.writeHead(502).end()
  }

  const server = createServer((request, response) => void pass(request, response))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  onTestFinished(async () => {
    agent.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { backends, unanswered: () => unanswered }
}
