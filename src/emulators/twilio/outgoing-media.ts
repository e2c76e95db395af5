import { type CallAnswer, call } from './call.js'
import { type Entry, newSid, type State } from './state.js'

/** 5 MB, for all media of a message together (docs/messaging/guides/accepted-mime-types). */
const maxBytes = 5 * 1024 * 1024

/**
 * Fetches what MediaUrl named, HEAD and then GET each, and keeps it with the message. Answers the code the message
 * fails with when something cannot be had: 11200 not retrieved, 11751 too large, 12300 another type than HEAD told.
 */
export async function fetchMedia(state: State, entry: Entry): Promise<number | undefined> {
  let left = maxBytes
  for (const url of entry.mediaUrls) {
    const request = {
      url,
      headers: { 'User-Agent': 'TwilioProxy/1.1', Accept: '*/*' },
      connectMs: 5000,
      readMs: 15_000,
    }
    const head = await call({ ...request, method: 'HEAD', maxBytes: left }, state.clock, state.work.signal)
    if (!isFound(head)) return 11200
    const got = await call({ ...request, method: 'GET', maxBytes: left }, state.clock, state.work.signal)
    if (got === 'too-large') return 11751
    if (!isFound(got)) return 11200
    if (got.contentType === '' || got.contentType !== head.contentType) return 12300
    left -= got.body.byteLength
    const { contentType, body: data } = got
    entry.media.push({ sid: newSid('ME'), contentType, data, createdAt: state.clock.now(), token: newSid('') })
  }
  return undefined
}

function isFound(answer: CallAnswer | string): answer is CallAnswer {
  return typeof answer !== 'string' && answer.status === 200
}
