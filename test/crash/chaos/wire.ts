// A stretch of network between the bridge and a vendor: it can be down (nobody listens), and it can deliver a request
// late, long after whoever sent it is dead.
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

export interface Wire {
  readonly url: string
  /** Cuts every connection and takes no new one: connecting is refused. */
  down(): Promise<void>
  up(): Promise<void>
  /** Keeps the next POST back until `delivered` resolves; `caught` is called when it has come. */
  catchNextPost(caught: () => void, delivered: () => Promise<void>): void
  /** Forgets a catch that has not happened. */
  release(): void
  stop(): Promise<void>
}

/** `port` tells where the other end listens; undefined while nobody does. */
export async function openWire(port: () => number | undefined): Promise<Wire> {
  const sockets = new Set<Socket>()
  let next: { caught: () => void; delivered: () => Promise<void> } | undefined

  const join = (near: Socket) => {
    const to = port()
    keep(near)
    if (to === undefined) return void near.resetAndDestroy()
    const far = connect(to, '127.0.0.1')
    keep(far)
    let held = false
    near.on('data', (bytes) => {
      const post = next
      if (post === undefined || !bytes.subarray(0, 5).equals(Buffer.from('POST '))) return void far.write(bytes)
      next = undefined
      held = true
      post.caught()
      void post.delivered().then(() => far.write(bytes))
    })
    far.on('data', (bytes) => (near.destroyed ? far.destroy() : near.write(bytes)))
    far.on('end', () => near.end())
    far.on('error', () => near.resetAndDestroy())
    near.on('close', () => {
      if (!held) far.destroy()
    })
    near.on('end', () => {
      if (!held) far.end()
    })
  }
  const keep = (socket: Socket) => {
    sockets.add(socket)
    // What went wrong is seen by the vendor and the bridge.
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  }

  let server = await listen(0, join)
  const { port: own } = server.address() as AddressInfo // a TCP server's
  const close = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.resetAndDestroy()
    await closed
  }
  return {
    url: `http://127.0.0.1:${own}`,
    down: close,
    async up() {
      if (!server.listening) server = await listen(own, join)
    },
    catchNextPost(caught, delivered) {
      next = { caught, delivered }
    },
    release() {
      next = undefined
    },
    stop: close,
  }
}

/** While a wire is down, its port may be lent to some outgoing connection for a moment. */
async function listen(port: number, join: (socket: Socket) => void): Promise<Server> {
  for (let tries = 1; ; tries += 1) {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, join)
    server.listen(port, '127.0.0.1')
    try {
      await once(server, 'listening')
      return server
    } catch (error) {
      if (tries === 200) throw error
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}
