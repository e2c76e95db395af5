import { existsSync } from 'node:fs'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

const executablePath = '/usr/bin/chromium'
export const hasBrowser = existsSync(executablePath)
/** Goes into the titles of what is skipped without it. */
export const why = hasBrowser ? '' : ` (SKIPPED: there is no ${executablePath})`

export function launch(): Promise<Browser> {
  const args = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ]
  return chromium.launch({ executablePath, args })
}

/** A page of its own that has drawn the state once; `faults` collects what it complained about. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Page & { readonly faults: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (message) => {
    // What was refused to a person is an answer like any other; the browser writes it down all the same.
    if (message.type() === 'error' && !message.text().includes('status of 400')) faults.push(message.text())
  })
  await page.goto(url)
  await page.locator('body[data-loaded]').waitFor()
  return Object.assign(page, { faults })
}

/** Presses Tab until this element has the focus, as a person without a mouse would. */
export async function tabTo(page: Page, testId: string, { back = false } = {}): Promise<void> {
  const id = () => page.evaluate(() => document.activeElement?.getAttribute('data-testid'))
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press(back ? 'Shift+Tab' : 'Tab')
    if ((await id()) === testId) return
  }
  throw new Error(`Tab does not reach ${testId}`)
}
