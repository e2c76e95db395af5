// What acceptance would cost without a store: node:http, the same signature check, the same answer.
import { once } from 'node:events'
import { createServer } from 'node:http'
import webhooks from 'twilio/lib/webhooks/webhooks.js'
import { account } from '../lib/account.mjs'
import { answerCalls } from '../lib/children.mjs'

const twiml = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

answerCalls({
  async listen() {
    let origin = ''
    // As the bridge: connections outlive the pauses between shots.
    const server = createServer({ keepAliveTimeout: 65_000 }, (request, response) => {
      const chunks = []
      request.on('data', (chunk) => chunks.push(chunk))
      request.on('end', () => {
        const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString('utf8')))
        const signature = request.headers['x-twilio-signature'] ?? ''
        const known = webhooks.validateRequest(account.authToken, signature, origin + request.url, form)
        response.writeHead(known ? 200 : 403, { 'content-type': 'text/xml' }).end(twiml)
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address()
    origin = `http://127.0.0.1:${port}`
    return port
  },
})
