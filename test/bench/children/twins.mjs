// Both twins in a process of their own, and what the benches ask of them.
import { startIntercomTwin } from '../../../dist/emulators/intercom/server.js'
import { startTwilioTwin } from '../../../dist/emulators/twilio/server.js'
import { account } from '../lib/account.mjs'
import { answerCalls } from '../lib/children.mjs'

const windowMs = 10_000

let intercom
let twilio
/** When each API call was answered, epoch ms. */
let callTimes = []

answerCalls({
  async start({ rateLimit }) {
    const { accountSid, authToken, accessToken, clientSecret, ours } = account
    twilio = await startTwilioTwin({ accountSid, authToken, numbers: [{ phoneNumber: ours }] })
    intercom = await startIntercomTwin({ accessToken, clientSecret, rateLimit })
    intercom.subscribe(({ type }) => {
      if (type === 'request') callTimes.push(Date.now())
    })
    return { twilioUrl: twilio.url, intercomUrl: intercom.url }
  },

  /** The topics that README.md has people tick. */
  setWebhook: (url) => intercom.setWebhook(url, ['conversation.admin.replied', 'conversation.operator.replied']),

  /** Agents answer, `perSecond` replies in all, each conversation in turn. */
  async reply({ count, perSecond }) {
    const open = intercom.conversations()
    const begun = Date.now()
    for (let index = 0; index < count; index += 1) {
      const wait = begun + (index * 1000) / perSecond - Date.now()
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait))
      intercom.inbox.reply(open[index % open.length].id, `<p>It left this morning. (${index})</p>`)
    }
  },

  forgetCalls() {
    callTimes = []
  },

  /** Calls since `forgetCalls`, and how many fell into each of Intercom's windows that they filled from end to end. */
  calls() {
    const [first = 0, last = 0] = [callTimes[0], callTimes.at(-1)]
    const windows = new Map()
    for (const time of callTimes) {
      const start = Math.floor(time / windowMs) * windowMs
      if (start >= first && start + windowMs <= last) windows.set(start, (windows.get(start) ?? 0) + 1)
    }
    return { count: callTimes.length, ms: last - first, windows: [...windows.values()], hits: intercom.rateLimitHits() }
  },

  /** What customers said in each conversation, in the order in which the inbox shows it. */
  books: () =>
    intercom
      .conversations()
      .map(({ source, parts }) => [
        source.body,
        ...parts.filter(({ author }) => author.type === 'lead').map(({ body }) => body ?? ''),
      ]),
})
