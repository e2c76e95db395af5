// What the wizard puts on the clipboard while a person is in Intercom's Developer Hub.
import { describe, expect, it } from 'vitest'
import { commandLine } from '../support/command-line.js'
import { answers, upToApply } from '../support/init-stage.js'
import { hurriedClock, type InitWorld, startInitWorld } from '../support/init-world.js'
import type { TestIo } from '../support/test-io.js'

/** Seconds on a quiet machine. */
const patience = { timeout: 120_000 }

/** By OSC 52. */
function copiedBy(io: TestIo): readonly string[] {
  const [, ...parts] = io.stderr().split('\u001b]52;c;')
  return parts.map((part) => Buffer.from(part.slice(0, part.indexOf('\u0007')), 'base64').toString())
}

/** A run at a terminal; `atSaved` and `atAgain` are what the person does in the Developer Hub. */
async function inTerminal(
  world: InitWorld,
  {
    atSaved,
    again,
  }: { readonly atSaved: () => Promise<unknown>; readonly again: readonly [string, () => Promise<unknown>] },
) {
  let copied: readonly string[] = []
  const { code } = await commandLine({ env: world.env }).run('init --no-open', {
    tty: true,
    clock: hurriedClock(),
    async meanwhile(io) {
      for (const { at, press } of upToApply(world)) {
        await io.shows(at)
        io.type(press)
      }
      await io.shows(answers(world).saved.at)
      await atSaved()
      io.type('\r')
      await io.shows('Try again?')
      const [answer, meanwhile] = again
      await meanwhile()
      io.type(`${answer}\r`)
      copied = copiedBy(io)
    },
  })
  return { code, copied }
}

describe('init at the Developer Hub', patience, () => {
  it('puts the topics that did not come on the clipboard, once Intercom is seen to know the URL', async () => {
    const world = await startInitWorld()
    const url = `${world.publicUrl}/webhooks/intercom`
    const { code, copied } = await inTerminal(world, {
      atSaved: () => world.intercom.setWebhook(url, ['conversation.admin.noted', 'conversation.admin.closed']),
      again: ['y', () => world.intercom.setWebhook(url)],
    })
    expect(code).toBe(0)
    expect(copied).toEqual([
      url,
      'conversation.admin.replied\nconversation.admin.assigned\nconversation_part.tag.created',
    ])
  })

  it('leaves the URL there while Intercom has not looked at it', async () => {
    const world = await startInitWorld()
    const { code, copied } = await inTerminal(world, { atSaved: async () => {}, again: ['n', async () => {}] })
    expect(code).toBe(3)
    expect(copied).toEqual([`${world.publicUrl}/webhooks/intercom`])
  })
})
