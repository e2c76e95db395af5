// Teammates' replies that no webhook brought: every conversation of ours that changed is read.
import type { IntercomClient, Part } from '../intercom/client.js'
import type { Log } from '../log.js'
import type { Mark, Store } from '../store/store.js'
import { replyDelivery, replyOf } from './agent-reply.js'
import { createIntake, type IntakeParts, type Sweep, type SweepOptions, type SweepTools } from './reconcile-intake.js'
import { closeWindow, openWindow } from './reconcile-window.js'

const repliesMark = 'reconcile:intercom'

export interface ReplySweepParts extends IntakeParts {
  readonly store: Pick<Store, 'unseen' | 'ingest' | 'findMark' | 'setMark' | 'findThreadOfConversation'>
  readonly intercom: Pick<IntercomClient, 'searchUpdatedSince' | 'getConversation' | 'clockSlackMs'>
  readonly log: Log
  /** Whether this part of a conversation is the customer's to read: the same rule the webhook door uses. */
  readonly isForCustomer: (part: Part) => boolean
  readonly relayBots: boolean
}

export function createReplySweep(parts: ReplySweepParts) {
  const { store, intercom, isForCustomer, relayBots } = parts

  return async (tools: SweepTools, options: SweepOptions): Promise<Sweep> => {
    const begunAt = tools.now()
    const window = await openWindow(parts, repliesMark, begunAt, options)
    // What bots said before they were relayed was not meant for phones.
    const botsSince = relayBots ? (botsSinceIn(window.mark) ?? begunAt) : undefined
    const intake = createIntake(parts, tools, { ...options, notBefore: window.notBefore })
    const isOld = ({ writtenAt, author }: Part) =>
      writtenAt < window.since - intercom.clockSlackMs() ||
      (author.type === 'bot' && (botsSince === undefined || writtenAt < Math.floor(botsSince / 1000) * 1000))

    for (const { id } of await intercom.searchUpdatedSince(window.since - intercom.clockSlackMs(), tools.call)) {
      const thread = await store.findThreadOfConversation(id)
      const conversation = thread && (await intercom.getConversation(id, tools.call))
      if (thread === undefined || conversation === undefined) continue
      const written = conversation.parts.filter((part) => isForCustomer(part) && !isOld(part))
      await intake.offer(
        written.map((part) => {
          const delivery = replyDelivery(replyOf(id, part), thread)
          return {
            id: part.id,
            dedupeKey: delivery.dedupeKey,
            number: thread.ours,
            direction: 'out',
            at: part.writtenAt,
            toDelivery: async () => delivery,
          }
        }),
      )
    }
    const sweep = { since: window.since, numbers: await intake.finish() }
    const at = begunAt - intercom.clockSlackMs()
    const more = botsSince === undefined ? {} : { botsSince }
    await closeWindow(parts, repliesMark, window, { begunAt, at, sweep, options, more })
    return sweep
  }
}

/** Since when bots are relayed, as the last sweep noted; undefined when they were not then. */
function botsSinceIn(mark: Mark | undefined): number | undefined {
  const value = mark?.value
  if (typeof value !== 'object' || value === null || !('botsSince' in value)) return undefined
  return typeof value.botsSince === 'number' ? value.botsSince : undefined
}
