// What the README's first command shows, in a browser: the command itself, the bridge and both twins.
import { describe, expect, it, onTestFinished } from 'vitest'
import { main } from '../../src/cli/main.js'
import { testIo } from '../support/test-io.js'
import { hasBrowser, launch, openPage, tabTo, why } from './browser.js'

const widths = [
  ['a desktop', { width: 1280, height: 800 }],
  ['a phone', { width: 390, height: 844 }],
] as const

describe.skipIf(!hasBrowser)(`the sandbox${why}`, () => {
  it.each(widths)('tells the whole story on %s', async (_name, viewport) => {
    const io = testIo()
    const ended = main(['node', 'sms-bridge', 'sandbox'], io, {})
    await io.shows('Stop it with Ctrl-C.')
    const url = /^Open (\S+)$/m.exec(io.stdout())?.[1] ?? ''
    const browser = await launch()
    onTestFinished(() => browser.close())
    const page = await openPage(browser, url, { viewport })
    const isPhone = viewport.width < 700
    const show = async (tab: 'handset' | 'inbox' | 'ledger') => {
      if (isPhone) await page.getByTestId(`tab-${tab}`).click()
    }
    const bubble = (text: string) => page.getByTestId('text-bubble').filter({ hasText: text })
    const items = page.getByTestId('conversation-item')
    const open = async (index: number) => {
      await show('inbox')
      if (isPhone && (await page.getByTestId('inbox-back').isVisible())) await page.getByTestId('inbox-back').click()
      await items.nth(index).click()
    }
    const text = async (body: string) => {
      await show('handset')
      await page.getByTestId('handset-input').fill(body)
      await page.getByTestId('handset-input').press('Enter')
    }

    if (isPhone) await text('Where is my parcel?')
    else {
      await tabTo(page, 'handset-input')
      await page.keyboard.type('Where is my parcel?')
      await page.keyboard.press('Enter')
    }
    await show('inbox')
    await items.filter({ hasText: 'Where is my parcel?' }).waitFor()
    expect(await items.count()).toBe(1)

    await open(0)
    await page.getByTestId('inbox-input').fill('It is on its way.')
    await page.getByTestId('inbox-input').press('Enter')
    await show('handset')
    await bubble('It is on its way.').and(page.locator('[data-state=delivered]')).waitFor()

    await show('inbox')
    await page.getByTestId('conversation-toggle').click()
    await page.locator('[data-testid=conversation][data-state=closed]').waitFor()

    await text('And my other parcel?')
    await show('inbox')
    if (isPhone) await page.getByTestId('inbox-back').click()
    await items.filter({ hasText: 'And my other parcel?' }).waitFor()
    expect(await items.count()).toBe(2)

    await show('ledger')
    await page.locator('[data-testid=ledger-row][data-state=delivered]').nth(2).waitFor()
    expect(await page.getByTestId('ledger-row').count()).toBe(3)
    expect(page.faults).toEqual([])

    await page.context().close()
    io.interrupt()
    expect(await ended).toBe(0)
  })
})
