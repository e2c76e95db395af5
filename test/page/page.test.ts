import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hasBrowser, launch, openPage, tabTo, why } from './browser.js'
import { company, customer, otherCustomer, secondNumber, startTestPage, type TestPage } from './test-page.js'

/** As the page writes numbers: they do not break over a line. */
const shown = (number: string) => number.replace(/(\d{3})(\d{3})(\d{4})$/, '\u00a0$1\u00a0$2\u00a0$3')

describe.skipIf(!hasBrowser)(`the sandbox's page${why}`, () => {
  let browser: Browser
  let world: TestPage
  let page: Awaited<ReturnType<typeof openPage>>

  beforeAll(async () => {
    browser = await launch()
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    world = await startTestPage()
    page = await openPage(browser, world.url())
  })
  afterEach(async () => {
    await page.context().close()
    await world.stop()
    expect(page.faults).toEqual([])
  })

  const bubble = (text: string, on: Page = page) => on.getByTestId('text-bubble').filter({ hasText: text })
  const part = (text: string) => page.getByTestId('conversation-part').filter({ hasText: text })
  const item = (id: string) => page.locator(`[data-testid=conversation-item][data-id="${id}"]`)
  const conversation = (id: string) => world.intercom.conversations().find((one) => one.id === id)
  const lastPart = (id: string) => conversation(id)?.parts.at(-1)

  it('says first what to do, and how the bridge is', async () => {
    expect(await page.getByTestId('handset-texts').textContent()).toContain('Type a text below')
    expect(await page.getByText('No conversations yet.').isVisible()).toBe(true)
    expect(await page.getByText('Nothing has crossed the bridge yet.').isVisible()).toBe(true)
    expect(await page.getByTestId('bridge-url').textContent()).toBe(world.bridgeUrl)
    await page.locator('[data-testid=bridge-health][data-state=ready]').waitFor()
    world.bridge.status = 503
    await page.getByText('Bridge is not ready (503)').waitFor()
  })

  it('sends a text by keyboard alone and shows that the bridge took it', async () => {
    await tabTo(page, 'handset-input')
    await page.keyboard.type('Where is my parcel?')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('It should be here.')
    await page.keyboard.press('Enter')

    await page.locator('[data-testid=text-bubble][data-state=delivered]').waitFor()
    expect(await page.getByTestId('text-body').textContent()).toBe('Where is my parcel?\nIt should be here.')
    expect(await page.getByTestId('text-state').textContent()).toBe('Delivered')
    expect(await page.getByTestId('handset-input').inputValue()).toBe('')
    const [message] = world.twilio.messages()
    expect(message).toMatchObject({ from: customer, to: company, body: 'Where is my parcel?\nIt should be here.' })
  })

  it('opens the first conversation by itself, answers it by keyboard, and tells a screen reader of new texts', async () => {
    const id = await world.postToInbox(customer, '<p>Where is my parcel?</p>')
    await part('Where is my parcel?').waitFor()
    await page.getByText('+1 555 010 0142 wrote: Where is my parcel?').waitFor({ state: 'attached' })

    await tabTo(page, 'inbox-input')
    await page.keyboard.type('On its way')
    await page.keyboard.press('Shift+Enter')
    await page.keyboard.type('& <soon>')
    await page.keyboard.press('Enter')
    await part('On its way').waitFor()
    expect(lastPart(id)).toMatchObject({ partType: 'comment', body: '<p>On its way<br>&amp; &lt;soon&gt;</p>' })
    expect(await part('On its way').getByTestId('part-body').textContent()).toBe('On its way\n& <soon>')

    await world.sendToHandset(customer, 'On its way')
    await bubble('On its way').and(page.locator('[data-state=delivered]')).waitFor()
    await page.getByText('New text on +1 555 010 0142: On its way').waitFor({ state: 'attached' })
  })

  it('writes a note that is a note, and keeps the mode with its conversation', async () => {
    const id = await world.postToInbox(customer, '<p>First</p>')
    const other = await world.postToInbox(otherCustomer, '<p>Second</p>')
    await item(id).focus()
    await page.keyboard.press('Enter')
    await part('First').waitFor()
    await tabTo(page, 'mode-reply', { back: true })
    await page.keyboard.press('ArrowRight')
    await tabTo(page, 'inbox-input')
    await page.keyboard.type('Ask the courier')
    await item(other).click()
    expect(await page.getByTestId('inbox-send').textContent()).toBe('Reply')
    expect(await page.getByTestId('inbox-input').inputValue()).toBe('')
    await item(id).click()
    expect(await page.getByTestId('inbox-input').inputValue()).toBe('Ask the courier')
    await page.keyboard.press('Enter')

    await page.locator('[data-testid=conversation-part][data-kind=note]').waitFor()
    expect(lastPart(id)).toMatchObject({ partType: 'note', body: '<p>Ask the courier</p>' })
    expect(conversation(other)?.parts).toEqual([])
  })

  it('replies and closes in one part, closes, reopens, assigns and tags', async () => {
    const id = await world.postToInbox(customer, '<p>Thanks!</p>')
    await part('Thanks!').waitFor()
    await page.getByTestId('inbox-input').fill('Bye')
    await page.getByTestId('inbox-send-close').press('Enter')
    await page.locator('[data-testid=conversation][data-state=closed]').waitFor()
    expect(lastPart(id)).toMatchObject({ partType: 'close', body: '<p>Bye</p>' })

    await page.getByTestId('conversation-toggle').press('Enter')
    await page.locator('[data-testid=conversation][data-state=open]').waitFor()
    await page.getByTestId('conversation-toggle').press('Enter')
    await page.locator('[data-testid=conversation][data-state=closed]').waitFor()
    await page.getByTestId('conversation-toggle').press('Enter')
    await page.locator('[data-testid=conversation][data-state=open]').waitFor()

    await page.getByTestId('assign').selectOption({ label: 'Sales' })
    await page.locator('[data-testid=conversation-part][data-kind=assignment]').waitFor()
    expect(conversation(id)?.teamAssigneeId).toBe('815')
    await page.getByTestId('tag-input').fill('parcels')
    await page.getByTestId('tag-input').press('Enter')
    await page.getByTestId('conversation-tag').waitFor()
    expect(conversation(id)?.tags.map((tag) => tag.name)).toEqual(['parcels'])
    expect(conversation(id)?.parts.map((one) => one.partType)).toEqual(['close', 'open', 'close', 'open', 'assignment'])
  })

  it('shows a stranger’s HTML as text, loads nothing of it and runs nothing of it', async () => {
    const asked: string[] = []
    page.on('request', (request) => asked.push(new URL(request.url()).pathname))
    const id = await world.postToInbox(customer, '<p>Hello</p>')
    world.intercom.inbox.reply(
      id,
      '<p>One<br>two</p><ul><li>three</li></ul><p><a href="javascript:alert(1)">four</a><script>alert(2)</script>' +
        '<img src="/steal" onerror="alert(3)" alt="a cat"></p>',
    )
    await part('One').waitFor()
    const words = await part('One').getByTestId('part-body').textContent()
    expect(words).toMatch(/^One\ntwo\n+• three\n+four/)
    expect(await page.locator('#parts :is(a, img, script, ul)').count()).toBe(0)
    expect(asked.filter((path) => !path.startsWith('/api/'))).toEqual([])
  })

  it('shows what became of each text: on its way, delivered, not delivered with its code', async () => {
    const decided = page.waitForResponse('**/api/set-fate')
    await page.getByTestId('handset-fate').selectOption({ label: 'phone off (30003)' })
    await decided
    await world.sendToHandset(customer, 'Are you there?')
    await page.locator('[data-testid=text-bubble][data-state=failed][data-code="30003"]').waitFor()
    expect(await bubble('Are you there?').getByTestId('text-state').textContent()).toBe(
      'Not delivered: the phone cannot be reached (30003)',
    )
  })

  it('keeps each customer’s chat apart, counts what is new, and goes through them with arrow keys', async () => {
    await world.sendToHandset(otherCustomer, 'For the other one')
    const other = page.locator(`[data-testid=handset-item][data-number="${otherCustomer}"]`)
    await other.getByText('1 new').waitFor()
    expect(await bubble('For the other one').count()).toBe(0)
    await tabTo(page, 'handset-item')
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('Enter')
    await bubble('For the other one').waitFor()
    expect(await other.textContent()).toBe(shown(otherCustomer))

    await page.getByTestId('handset-add-input').fill('+1 (555) 010-0155')
    await page.keyboard.press('Enter')
    await page.locator('[data-testid=handset-item][data-number="+15550100155"][aria-current]').waitFor()
    await page.keyboard.type('Hi from a new one')
    await page.keyboard.press('Enter')
    await bubble('Hi from a new one').waitFor()
    expect(world.twilio.messages().at(-1)).toMatchObject({ from: '+15550100155' })

    await page.getByTestId('handset-add-input').fill('555')
    await page.keyboard.press('Enter')
    await page.getByText('"555" is not an international phone number. Write it like +15550100142.').waitFor()
  })

  it('says at which of the company’s numbers something new waits', async () => {
    await world.sendToHandset(customer, 'From sales', secondNumber)
    await page.getByRole('option', { name: `${shown(secondNumber)} (1 new)` }).waitFor({ state: 'attached' })
    expect(await bubble('From sales').count()).toBe(0)
    await page.getByTestId('handset-to').selectOption(secondNumber)
    await bubble('From sales').waitFor()
    expect(await page.getByTestId('handset-to').locator('option').allTextContents()).toEqual([
      shown(company),
      shown(secondNumber),
    ])
  })

  it('follows a chat to its end, but not for who has scrolled back, also after it was out of sight', async () => {
    await page.setViewportSize({ width: 390, height: 844 })
    for (let count = 1; count <= 30; count += 1)
      world.twilio.text({ from: customer, to: company, body: `Text ${count}` })
    const last = (count: number) => bubble(`Text ${count}`).last()
    const inSight = (count: number) =>
      last(count).evaluate((node) => {
        const { top, bottom } = node.getBoundingClientRect()
        const frame = document.querySelector('#handset-texts')?.getBoundingClientRect()
        return frame !== undefined && top >= frame.top && bottom <= frame.bottom
      })
    await last(30).waitFor()
    expect(await inSight(30)).toBe(true)
    await page.getByTestId('tab-faults').click()
    world.twilio.text({ from: customer, to: company, body: 'Text 31' })
    await last(31).waitFor({ state: 'attached' })
    await page.getByTestId('tab-handset').click()
    expect(await inSight(31)).toBe(true)

    const scrolled = page.evaluate(
      () => new Promise((done) => document.querySelector('#handset-texts')?.addEventListener('scrollend', done)),
    )
    await page.getByTestId('handset-texts').press('Home')
    await scrolled
    world.twilio.text({ from: customer, to: company, body: 'Text 32' })
    await last(32).waitFor()
    expect(await inSight(32)).toBe(false)
  })

  it('arms and clears faults by keyboard, for one call or for all', async () => {
    await page.getByTestId('fault-times-once').check()
    await page.getByTestId('fault-intercom-error-after').press('Space')
    await page.locator('[data-testid=fault-intercom-error-after][aria-checked=true]').waitFor()
    expect(world.intercom.faults.armed()).toMatchObject([{ kind: 'error-after', times: 1 }])
    await expect(world.postToInbox(customer, '<p>Hello</p>')).rejects.toThrow('500')
    await page.locator('[data-testid=fault-intercom-error-after][aria-checked=false]').waitFor()

    await page.getByTestId('fault-times-always').check()
    await page.getByTestId('fault-twilio-outage').press('Space')
    await page.getByTestId('fault-twilio-drop').press('Space')
    await page.locator('[data-testid=fault-twilio-drop][aria-checked=true]').waitFor()
    expect(world.twilio.faults.armed()).toMatchObject([{ kind: 'outage', times: Number.POSITIVE_INFINITY }])
    expect([...world.twilio.faults.webhooks]).toEqual(['drop'])
    await page.getByTestId('faults-clear').press('Enter')
    await page.locator('[data-testid=fault-twilio-outage][aria-checked=false]').waitFor()
    expect(world.twilio.faults.armed()).toEqual([])
  })

  it('writes the ledger as deliveries happen', async () => {
    world.addRow({ id: 'd_1' })
    world.addRow({ id: 'd_2', direction: 'out', state: 'ready', attempts: 2, note: 'Twilio answered 429', hopMs: null })
    await page.locator('[data-testid=ledger-row][data-id=d_2]').waitFor()
    const rows = await page.getByTestId('ledger-row').all()
    expect(await Promise.all(rows.map((row) => row.locator('td').allTextContents()))).toEqual([
      ['now', 'out: Reply to phone', shown(customer), 'Retrying', '2 tries', '–', 'Twilio answered 429'],
      ['now', 'in: Text to inbox', shown(customer), 'Delivered', '1 try', '420 ms', ''],
    ])
    expect(await page.locator('#ledger-sum').textContent()).toBe('1 in, 1 out, 1 delivered, 1 under way')
  })

  it('says when the sandbox is gone and comes back by itself when it is there again', async () => {
    await world.stopPage()
    await page.getByText('The sandbox does not answer. Trying again.').waitFor()
    await world.postToInbox(customer, '<p>Meanwhile</p>')
    await world.startPage()
    await part('Meanwhile').waitFor()
    expect(await page.getByTestId('link-state').isVisible()).toBe(false)
    // The browser itself writes the broken connections to its console.
    const own = page.faults.filter((fault) => !fault.includes('ERR_'))
    page.faults.splice(0, page.faults.length, ...own)
  })
})
