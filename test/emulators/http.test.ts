import { describe, expect, it, onTestFinished } from 'vitest'
import { realClock } from '../../src/emulators/clock.js'
import { type HttpOptions, json, startHttp } from '../../src/emulators/http.js'

async function start(options: Partial<HttpOptions> = {}) {
  const http = await startHttp({ clock: realClock, handle: ({ path }) => json(200, { path }), ...options })
  onTestFinished(() => http.stop())
  return http
}

describe("the twins' HTTP server", () => {
  it('hands over the request as it came: target undecoded, query read, body raw', async () => {
    const http = await start({
      handle: ({ method, target, path, query, body }) =>
        json(200, { method, target, path, q: query.get('q'), body: [...body] }),
    })

    const response = await fetch(`${http.url}/a%20b?q=c%2Bd`, { method: 'POST', body: new Uint8Array([0, 255]) })

    expect(await response.json()).toEqual({
      method: 'POST',
      target: '/a%20b?q=c%2Bd',
      path: '/a%20b',
      q: 'c+d',
      body: [0, 255],
    })
  })

  it('refuses a body above its cap with 413', async () => {
    const http = await start({ maxBodyBytes: 3 })

    expect((await fetch(http.url, { method: 'POST', body: 'abc' })).status).toBe(200)
    expect((await fetch(http.url, { method: 'POST', body: 'abcd' })).status).toBe(413)
  })

  it('writes no body for HEAD and 204', async () => {
    const http = await start({ handle: ({ path }) => ({ status: path === '/none' ? 204 : 200, body: 'text' }) })

    const head = await fetch(http.url, { method: 'HEAD' })
    const none = await fetch(`${http.url}/none`)

    expect([head.status, await head.text()]).toEqual([200, ''])
    expect([none.status, await none.text()]).toEqual([204, ''])
  })

  it('answers 500 with the stack when its handler throws', async () => {
    const http = await start({
      handle: () => {
        throw new Error('a slip of the twin')
      },
    })

    const response = await fetch(http.url)

    expect(response.status).toBe(500)
    expect(await response.text()).toContain('a slip of the twin')
  })

  it('does not start on a port that is taken', async () => {
    const http = await start()

    await expect(start({ port: Number(new URL(http.url).port) })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})
