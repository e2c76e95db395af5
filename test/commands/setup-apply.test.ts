// Changes at Twilio: all or none, and what was before is kept until it is restored.
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.js'
import {
  type ApplyParts,
  applyChange,
  applyChanges,
  readBack,
  undoChange,
  undoChanges,
} from '../../src/commands/setup/apply.js'
import { readUndo, undoPath, withChanges, writeUndo } from '../../src/commands/setup/undo-file.js'
import { callUnder, connectTwilio } from '../../src/commands/setup/vendors.js'
import { compareNumber, type WebhookChange } from '../../src/commands/setup/webhooks.js'
import { mainNumber, otherNumber, sidOf, startInitWorld } from '../support/init-world.js'
import { tempFolder } from '../support/temp.js'

const publicUrl = 'https://sms.example.com'
const demo = 'https://demo.twilio.com/welcome/sms/reply'

async function stage() {
  const world = await startInitWorld()
  const { accountSid, authToken } = world
  const twilio = await connectTwilio({ accountSid, authTokens: [authToken], baseUrl: world.twilio.url }, systemClock)
  const call = callUnder(new AbortController().signal)
  const stopping = new AbortController()
  const path = join(tempFolder(), 'undo.json')
  const numbers = await twilio.listNumbers(call)
  const changes = numbers.flatMap((number) => [...compareNumber(number, publicUrl).changes])
  const parts: ApplyParts = { twilio, accountSid, undoPath: path, now: 0, call, stopping: stopping.signal }
  const urls = () => world.twilio.numbers().map(({ smsUrl }) => smsUrl)
  const [first, second] = changes
  if (first === undefined || second === undefined) throw new Error('two numbers, two changes')
  return { world, twilio, call, stopping, path, changes, parts, urls, first, second }
}

describe('one change', () => {
  it('writes what differs alone, is read back, and is undone', async () => {
    const { twilio, call, first, urls, world } = await stage()
    await applyChange(twilio, first, call)
    expect(await readBack(twilio, first, call)).toBeUndefined()
    world.twilio.setSmsUrl(mainNumber, 'https://other.example.com')
    expect(await readBack(twilio, first, call)).toBe('url is "https://other.example.com", fallbackUrl is ""')
    await undoChange(twilio, first, call)
    expect(urls()).toEqual([demo, demo])
  })
})

describe('all changes', () => {
  it('are written down before the first is made, for their owner alone', async () => {
    const { parts, changes, path, twilio } = await stage()
    let seen = ''
    const watched: ApplyParts['twilio'] = {
      readWebhook: twilio.readWebhook,
      writeWebhook: (...given) => {
        if (seen === '') seen = readFileSync(path, 'utf8')
        return twilio.writeWebhook(...given)
      },
    }
    await applyChanges(changes, { ...parts, twilio: watched })
    expect(JSON.parse(seen).entries.map(({ label }: { label: string }) => label)).toEqual([mainNumber, otherNumber])
    expect(statSync(path).mode & 0o777).toBe(0o600)
  })

  it('are taken back when Ctrl-C comes between two of them', async () => {
    const { parts, changes, path, stopping, urls } = await stage()
    const applying = applyChanges(changes, { ...parts, onApplied: () => stopping.abort() })
    await expect(applying).rejects.toThrow('aborted')
    expect(urls()).toEqual([demo, demo])
    expect(existsSync(path)).toBe(false)
  })

  it('are taken back when Ctrl-C comes after the last, as long as nobody was told it is done', async () => {
    const { parts, first, stopping, urls } = await stage()
    await expect(applyChanges([first], { ...parts, onApplied: () => stopping.abort() })).rejects.toThrow('aborted')
    expect(urls()).toEqual([demo, demo])
  })

  it('are taken back when a later one is refused', async () => {
    const { parts, first, urls, path } = await stage()
    const gone: WebhookChange = { ...first, resource: { kind: 'number', sid: `PN${'9'.repeat(32)}` } }
    await expect(applyChanges([first, gone], parts)).rejects.toThrow('404')
    expect(urls()).toEqual([demo, demo])
    expect(existsSync(path)).toBe(false)
  })

  it('an answer that is lost counts as done, and is undone', async () => {
    const { parts, changes, urls, world } = await stage()
    const lost: ApplyParts['twilio'] = {
      readWebhook: parts.twilio.readWebhook,
      async writeWebhook(...given) {
        const written = await parts.twilio.writeWebhook(...given)
        if (given[0].sid === sidOf(world, otherNumber) && given[1].url !== demo) throw new Error('the connection broke')
        return written
      },
    }
    await expect(applyChanges(changes, { ...parts, twilio: lost })).rejects.toThrow('the connection broke')
    expect(urls()).toEqual([demo, demo])
  })

  it('that cannot be taken back are told of, with what to type, and stay written down', async () => {
    const { parts, changes, path, stopping, twilio } = await stage()
    const broken: ApplyParts['twilio'] = {
      readWebhook: twilio.readWebhook,
      writeWebhook: (...given) =>
        stopping.signal.aborted ? Promise.reject(new Error('no network')) : twilio.writeWebhook(...given),
    }
    const applying = applyChanges(changes, { ...parts, twilio: broken, onApplied: () => stopping.abort() })
    await expect(applying).rejects.toThrow(
      `could not all be undone:\n  ${mainNumber}: no network\nTo restore what was before: sms-bridge init --undo`,
    )
    expect((await readUndo(path)).map(({ label }) => label)).toEqual([mainNumber, otherNumber])
    const { restored } = await undoChanges(await readUndo(path), {
      ...parts,
      stopping: new AbortController().signal,
      evenIfChanged: false,
    })
    expect(restored).toHaveLength(2)
    expect(existsSync(path)).toBe(false)
  })

  it('are not made when somebody else was there meanwhile', async () => {
    const { parts, changes, world, urls } = await stage()
    world.twilio.setSmsUrl(otherNumber, 'https://new.example.com')
    await expect(applyChanges(changes, parts)).rejects.toThrow(
      `${otherNumber} was changed by somebody else meanwhile (url)`,
    )
    expect(urls()).toEqual([demo, 'https://new.example.com'])
  })
})

describe('the undo file', () => {
  it('keeps the first state of a resource', async () => {
    const { first } = await stage()
    const about = { accountSid: 'AC', savedAt: '2026-11-24T00:00:00.000Z' }
    const later = { ...first, before: first.after, after: { ...first.after, url: 'https://third.example.com' } }
    const [entry, ...rest] = withChanges(withChanges([], [first], about), [later], about)
    expect(rest).toEqual([])
    expect(entry).toMatchObject({ before: first.before, after: later.after })
  })

  it('lies beside the profile it belongs to', () => {
    expect(undoPath('/etc/sms-bridge/profile.json')).toBe('/etc/sms-bridge/undo.json')
    expect(undoPath('/etc/sms-bridge/profiles/staging.json')).toBe('/etc/sms-bridge/profiles/staging.undo.json')
  })

  it('goes when nothing is left to restore, and is not there to begin with', async () => {
    const path = join(tempFolder(), 'undo.json')
    expect(await readUndo(path)).toEqual([])
    await writeUndo(path, [])
    expect(existsSync(path)).toBe(false)
  })

  it('that was tampered with is never taken for empty', async () => {
    const path = join(tempFolder(), 'undo.json')
    writeFileSync(path, '{"schema_version":1,"entries":[{}]}')
    await expect(readUndo(path)).rejects.toThrow('is not as it was written')
    writeFileSync(path, 'not JSON')
    await expect(readUndo(path)).rejects.toThrow('is not as it was written')
  })
})
