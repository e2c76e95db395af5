import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { startIntercomTwin } from '../../src/emulators/intercom/server.js'
import { readConsent } from '../../src/flows/consent.js'
import { splitText, toSmsText } from '../../src/flows/sms-text.js'
import { openStore } from '../../src/store/open.js'
import { commandLine } from '../support/command-line.js'
import { ManualClock } from '../support/manual-clock.js'
import { startVendorServer } from '../support/vendor-server.js'

const intercomToken = 'PLANTED-token-4711'
const teams = '+15550100100=814,+15550100300=999,*=815'

async function startIntercom() {
  const twin = await startIntercomTwin({
    accessToken: intercomToken,
    clientSecret: 'fake-client-secret',
    appId: 'acme1234',
    admins: [{ id: '401', name: 'Dana', email: 'dana@example.com' }],
    teams: [
      { id: '814', name: 'Support', adminIds: ['401'] },
      { id: '815', name: 'Sales | *Nights*', adminIds: ['401'] },
    ],
  })
  onTestFinished(() => twin.stop())
  return twin
}

async function storeWithNumbers(home: string) {
  const store = await openStore(`sqlite:${join(home, 'sms-bridge.sqlite')}`, { now: 0 })
  const kind = 'local'
  await store.saveNumbers(
    [
      { number: '+15550100100', kind, state: 'ours' },
      { number: '+15550100200', kind, state: 'ours' },
      { number: '+15550100400', kind, state: 'elsewhere', detail: 'its texts go to https://other.example.com' },
      { number: '55501', kind: 'short-code', state: 'ours' },
    ],
    0,
  )
  await store.close()
}

describe('guide', () => {
  it('looks as in guide.txt, with the names of teams and all numbers of ours', async () => {
    const intercom = await startIntercom()
    const { home, run, transcript } = commandLine()
    const secret = { INTERCOM_ACCESS_TOKEN: intercomToken, INTERCOM_API_BASE_URL: intercom.url }
    writeFileSync(join(home, 'profile.json'), JSON.stringify(secret), { mode: 0o600 })
    await storeWithNumbers(home)
    const env = { SMS_BRIDGE_TEAMS: teams, SMS_BRIDGE_RELAY_BOTS: 'true', SMS_BRIDGE_HOLD: '90s' }
    expect((await run('guide', { env })).code).toBe(0)
    expect(transcript()).not.toContain(intercomToken)
    await expect(transcript()).toMatchFileSnapshot('../transcripts/guide.txt')
  })

  it('looks as in guide-bare.txt without any setting or store', async () => {
    const { run, transcript } = commandLine()
    expect((await run('guide')).code).toBe(0)
    await expect(transcript()).toMatchFileSnapshot('../transcripts/guide-bare.txt')
  })

  it('looks as in guide-hours.txt where numbers have hours, apart from what is in guide-bare.txt', async () => {
    const { run } = commandLine()
    const bare = (await run('guide')).stdout.split('\n')
    const SMS_BRIDGE_HOURS = '+15550100100=Mon-Fri 9-18 Sat 10-14 America/Denver,+15550100200=none,*=Mon-Sun 8-22'
    const { stdout, code } = await run('guide', { env: { SMS_BRIDGE_HOURS } })
    expect(code).toBe(0)
    const added = stdout.split('\n').filter((line) => line === '' || !bare.includes(line))
    await expect(added.join('\n').replace(/\n{3,}/g, '\n\n')).toMatchFileSnapshot('../transcripts/guide-hours.txt')
    const own = await run('guide', { env: { SMS_BRIDGE_HOURS, SMS_BRIDGE_AWAY_TEXT: 'Closed: *sorry*' } })
    expect(own.stdout).toContain('  > Closed: \\*sorry\\*\n')
    expect(own.stdout).not.toContain('{opens}')
    expect((await run('guide', { env: { SMS_BRIDGE_HOURS: '*=none' } })).stdout).not.toContain('Outside our hours')
  })

  it('names teams by their ids when Intercom refuses the token, or takes longer than 4 seconds', async () => {
    const intercom = await startIntercom()
    const clock = new ManualClock(0)
    const silent = await startVendorServer(() => void clock.advance(4_000))
    onTestFinished(() => silent.stop())
    const { run } = commandLine()
    const ask = (url: string) =>
      run('guide', {
        clock,
        env: { SMS_BRIDGE_TEAMS: teams, INTERCOM_ACCESS_TOKEN: 'PLANTED-wrong', INTERCOM_API_BASE_URL: url },
      })
    for (const url of [intercom.url, silent.url]) {
      const { code, stdout, text } = await ask(url)
      expect(code).toBe(0)
      expect(text).toContain('! Teams are named by their ids: ')
      expect(stdout).toContain(
        '| +15550100100 | team 814 |\n| +15550100300 | team 999 |\n| any other number | team 815 |',
      )
    }
    expect(silent.seen.map(({ method, url }) => `${method} ${url}`)).toEqual(['GET /teams'])
  })

  it('writes a file, and replaces one only with --force, as in guide-output.txt', async () => {
    const { stdout: page } = await commandLine().run('guide')
    const { home, run, transcript } = commandLine()
    const file = join(home, 'agents.md')
    await run(`guide --output ${file}`)
    expect(readFileSync(file, 'utf8')).toBe(page)
    writeFileSync(file, 'ours')
    await run(`guide --output ${file}`)
    expect(readFileSync(file, 'utf8')).toBe('ours')
    await run(`guide --output ${file} --force`)
    expect(readFileSync(file, 'utf8')).toBe(page)
    await run(`guide --output ${join(home, 'no', 'such', 'folder.md')}`)
    await run('guide --force')
    await run(`guide --output ${join(home, 'other.md')}`, { env: { SMS_BRIDGE_TEAMS: '555-0100=Support' } })
    await expect(transcript()).toMatchFileSnapshot('../transcripts/guide-output.txt')
  })

  it('tells of texts what the flows make of them', async () => {
    const { stdout: page } = await commandLine().run('guide')
    expect(page).toContain('lines that begin with “- ”; the numbers are lost')
    expect(toSmsText('<ol><li>one</li><li>two</li></ol>')).toBe('- one\n- two')
    expect(page).toContain('`our prices (https://example.com)`')
    expect(toSmsText('<p><a href="https://example.com">our prices</a></p>')).toBe('our prices (https://example.com)')
    expect(page).toContain('More than 1,600 characters are sent as several texts')
    expect([1600, 1601].map((length) => splitText('a'.repeat(length)).length)).toEqual([1, 2])
    const [, stop = '', start = ''] =
      /no more texts:\s+([A-Z, or]+)\.[\s\S]*?\n- ([A-Z, or]+) mean that they want/.exec(page) ?? []
    const words = (list: string) => list.split(/, | or /)
    expect(words(stop)).toHaveLength(8)
    expect(words(stop).filter((word) => readConsent(word) !== 'stop')).toEqual([])
    expect(words(start)).toHaveLength(3)
    expect(words(start).filter((word) => readConsent(word) !== 'start')).toEqual([])
  })
})
