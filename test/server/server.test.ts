import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { type Route, startServer } from '../../src/server/server.js'

it('answers a request that has arrived on a kept-alive connection when it stops, and then ends the connection', async () => {
  const routes: Route[] = [{ method: 'GET', path: '/', handle: async () => ({ status: 200, body: 'answered' }) }]
  const server = await startServer(routes, { host: '127.0.0.1', port: 0, basePath: '' })
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port) })
  const ask = () => socket.write('GET / HTTP/1.1\r\nhost: bridge\r\n\r\n')
  ask()
  const [first] = (await once(socket, 'data')) as [Buffer] // no encoding is set
  expect(first.toString()).toContain('\r\nConnection: keep-alive\r\n')
  let rest = ''
  socket.on('data', (chunk: Buffer) => {
    rest += chunk.toString()
  })
  const ended = once(socket, 'end')
  ask()
  await server.stop()
  await ended
  expect(rest).toMatch(/^HTTP\/1.1 200 OK\r\n/)
  expect(rest).toContain('\r\nConnection: close\r\n')
  expect(rest).toContain('answered')
})
