// What a person needs who sees badly, has no mouse, or holds a phone.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser, launch, openPage, why } from './browser.js'
import { customer, otherCustomer, startTestPage, type TestPage } from './test-page.js'

const narrow = { width: 390, height: 844 }
const wide = { width: 1280, height: 800 }
const panels = ['handset', 'inbox', 'ledger', 'faults'] as const
const longWord = 'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft'.repeat(3)

describe.skipIf(!hasBrowser)(`the page for everyone${why}`, () => {
  let browser: Browser
  let world: TestPage
  let long: string

  beforeAll(async () => {
    browser = await launch()
    world = await startTestPage()
    const id = await world.postToInbox(customer, '<p>Where is my parcel?</p>')
    world.intercom.inbox.note(id, '<p>Ask the courier</p>')
    world.intercom.inbox.reply(id, '<p>It is on its way.</p>', { and: 'close' })
    await world.postToInbox(otherCustomer, '<p>مرحبا، هل لديكم هذا المنتج باللون الأزرق؟</p>')
    long = await world.postToInbox('+15550100155', `<p>${longWord}</p>`)
    world.intercom.inbox.tag(long, longWord.slice(0, 90))
    world.twilio.text({ from: customer, to: '+15550100100', body: longWord })
    await world.sendToHandset(customer, 'It is on its way.')
    world.twilio.setFate(customer, 30003)
    await world.sendToHandset(customer, 'مرحبا بك')
    await world.twilio.idle()
    world.twilio.faults.arm('slow')
    world.intercom.faults.arm('rate-limit', { times: 2 })
    world.addRow({ id: 'd_1' })
    world.addRow({ id: 'd_2', direction: 'out', state: 'ready', attempts: 1, note: 'Twilio answered 429', hopMs: null })
    world.addRow({ id: 'd_3', state: 'parked', attempts: 8, note: `21610: ${longWord}` })
    world.addRow({ id: 'd_4', state: 'suppressed', attempts: 0, note: 'Echo of our own text' })
  })
  afterAll(async () => {
    await browser.close()
    await world.stop()
  })

  /** Runs the check on everything a person can bring into sight at this width. */
  async function everywhere(
    options: { viewport: typeof wide; colorScheme?: 'dark' },
    check: (page: Page) => Promise<unknown>,
  ): Promise<Record<string, unknown>> {
    const page = await openPage(browser, world.url(), { reducedMotion: 'reduce', ...options })
    const seen: Record<string, unknown> = {}
    if (options.viewport === wide) {
      seen.page = await check(page)
      await page.locator(`[data-testid=conversation-item][data-id="${long}"]`).click()
      seen.conversation = await check(page)
    } else {
      for (const panel of panels) {
        await page.getByTestId(`tab-${panel}`).click()
        seen[panel] = await check(page)
      }
      await page.getByTestId('tab-inbox').click()
      await page.locator(`[data-testid=conversation-item][data-id="${long}"]`).click()
      await page.getByTestId('mode-note').check()
      seen.conversation = await check(page)
    }
    expect(page.faults).toEqual([])
    await page.context().close()
    return seen
  }
  const nothing = (viewport: typeof wide) =>
    Object.fromEntries(
      (viewport === wide ? ['page', 'conversation'] : [...panels, 'conversation']).map((one) => [one, []]),
    )

  it.each([
    ['390', narrow],
    ['1280', wide],
  ])('never has to be scrolled sideways at %s px, whatever people write', async (_name, viewport) => {
    expect(await everywhere({ viewport }, overflowing)).toEqual(nothing(viewport))
  })

  it.each([
    ['390', narrow],
    ['1280', wide],
  ])('has a name for every control and one element for every id at %s px', async (_name, viewport) => {
    expect(await everywhere({ viewport }, nameless)).toEqual(nothing(viewport))
  })

  it.each([
    ['light', narrow, {}],
    ['light', wide, {}],
    ['dark', narrow, { colorScheme: 'dark' as const }],
    ['dark', wide, { colorScheme: 'dark' as const }],
  ])('has text with a contrast of 4.5 and more (%s, %o)', async (_name, viewport, scheme) => {
    expect(await everywhere({ viewport, ...scheme }, faint)).toEqual(nothing(viewport))
  })

  it('shows one panel at a time on a phone, chosen by tabs that arrow keys move between', async () => {
    const page = await openPage(browser, world.url(), { viewport: narrow, hasTouch: true })
    const shown = () => page.locator('main > section:visible').evaluateAll((all) => all.map((one) => one.id))
    expect(await shown()).toEqual(['handset'])
    await page.getByTestId('tab-handset').focus()
    await page.keyboard.press('ArrowRight')
    expect(await shown()).toEqual(['inbox'])
    expect(await page.getByRole('tab', { selected: true }).textContent()).toContain('Inbox')
    await page.keyboard.press('End')
    expect(await shown()).toEqual(['faults'])
    await page.keyboard.press('ArrowLeft')
    expect(await shown()).toEqual(['ledger'])
    await page.context().close()
  })

  it('goes from the list to a conversation and back on a phone, and counts what is new on the tabs', async () => {
    const page = await openPage(browser, world.url(), { viewport: narrow, hasTouch: true })
    expect(await page.getByTestId('tab-inbox').textContent()).toMatch(/3$/)
    await page.getByTestId('tab-inbox').tap()
    expect(await page.getByTestId('conversation').isVisible()).toBe(false)
    await page.locator(`[data-testid=conversation-item][data-id="${long}"]`).tap()
    await page.getByTestId('inbox-input').waitFor()
    expect(await page.getByTestId('conversation-list').isVisible()).toBe(false)
    expect(await page.getByTestId('tab-inbox').textContent()).toMatch(/2$/)
    await page.getByTestId('inbox-back').tap()
    expect(await page.getByTestId('conversation-list').isVisible()).toBe(true)
    await page.context().close()
  })

  it('has targets of 40 px and more for fingers', async () => {
    const small = await everywhere({ viewport: narrow }, (page) =>
      page.locator('button:visible, input:visible, select:visible, textarea:visible').evaluateAll((all) => {
        const heightOf = (one: Element): number =>
          one instanceof HTMLInputElement && one.type === 'radio'
            ? (one.closest('label')?.offsetHeight ?? 0)
            : // A switch is smaller than what it takes as a tap on it.
              Math.max(
                one.getBoundingClientRect().height,
                Number.parseFloat(getComputedStyle(one, '::after').height) || 0,
              )
        return all.filter((one) => heightOf(one) < 40).map((one) => one.outerHTML)
      }),
    )
    expect(small).toEqual(nothing(narrow))
  })

  it('keeps still for who asked for less motion', async () => {
    const page = await openPage(browser, world.url(), { reducedMotion: 'reduce' })
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0)
    expect(
      await page
        .locator('.bubble')
        .first()
        .evaluate((one) => getComputedStyle(one).animationName),
    ).toBe('none')
    await page.context().close()
  })
})

/** Elements that stick out of the window, and the window itself when it can be scrolled sideways. */
function overflowing(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const clipped = (node: Element) =>
      node.closest('.unseen') !== null ||
      [...ancestors(node)].some((one) => getComputedStyle(one).overflowX === 'hidden')
    function* ancestors(node: Element) {
      for (let one = node.parentElement; one !== null; one = one.parentElement) yield one
    }
    const out = [...document.querySelectorAll('body *')].filter(
      (node) => node.checkVisibility() && node.getBoundingClientRect().right > innerWidth + 0.5 && !clipped(node),
    )
    const scrolls = [...document.querySelectorAll('html, .chat, .scroll, main')].filter(
      (node) => node.checkVisibility() && node.scrollWidth > node.clientWidth,
    )
    return [...out, ...scrolls].map((node) => node.outerHTML.slice(0, 120))
  })
}

/** Controls without a name of their own words, and ids that two elements have. */
function nameless(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const controls = document.querySelectorAll('button, input, select, textarea, a, [role], [tabindex], section, table')
    const labelled = (node: Element) =>
      (node.getAttribute('aria-labelledby') ?? '')
        .split(' ')
        .map((id) => (id === '' ? '' : (document.getElementById(id)?.textContent ?? '')))
        .join('')
    const name = (node: Element) => {
      const labels = 'labels' in node && node.labels instanceof NodeList ? [...node.labels] : []
      const words = [node.getAttribute('aria-label'), labelled(node), ...labels.map((label) => label.textContent)]
      const fromInside = node.matches('button, a, [role=tab]') ? node.textContent : ''
      return [...words, fromInside].join('').trim()
    }
    // These speak for themselves: what they say is their content.
    const unnamed = [...controls].filter((node) => !node.matches('[role=status], [role=alert]') && name(node) === '')
    const ids = [...document.querySelectorAll('[id]')].map((node) => node.id)
    const twice = ids.filter((id, at) => ids.indexOf(id) !== at)
    return [...unnamed.filter((node) => node.checkVisibility()).map((node) => node.outerHTML.slice(0, 120)), ...twice]
  })
}

/** Visible text whose colour is too close to what lies under it. */
function faint(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    type Colour = [number, number, number, number]
    const parse = (colour: string): Colour => {
      const [red = 0, green = 0, blue = 0, alpha = 1] = (colour.match(/[\d.]+/g) ?? []).map(Number)
      return [red, green, blue, alpha]
    }
    const channel = (value: number) => {
      const part = value / 255
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
    }
    const light = ([red, green, blue]: Colour) =>
      0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue)
    const ground = (node: Element | null): Colour => {
      for (let one = node; one !== null; one = one.parentElement) {
        const colour = parse(getComputedStyle(one).backgroundColor)
        if (colour[3] === 1) return colour
      }
      return [255, 255, 255, 1]
    }
    const found: string[] = []
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    for (let text = walker.nextNode(); text !== null; text = walker.nextNode()) {
      const node = text.parentElement
      if (node === null || text.textContent?.trim() === '' || !node.checkVisibility() || node.closest('.unseen'))
        continue
      const [over, under] = [light(parse(getComputedStyle(node).color)), light(ground(node))]
      const ratio = (Math.max(over, under) + 0.05) / (Math.min(over, under) + 0.05)
      // A disabled button is exempt (WCAG 2.2, 1.4.3).
      if (ratio < 4.5 && !node.matches(':disabled')) found.push(`${ratio.toFixed(2)} ${node.outerHTML.slice(0, 100)}`)
    }
    return found
  })
}
