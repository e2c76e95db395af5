import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { startTestBridge, type TestBridge, type TestBridgeOptions } from './test-bridge.js'

/** A folder that is gone when the test is over. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sms-bridge-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A bridge between both twins on a throw-away SQLite store, stopped when the test is over. */
export async function openTestBridge(options: Partial<TestBridgeOptions> = {}): Promise<TestBridge> {
  const folder = tempFolder()
  const world = await startTestBridge({ storeUrl: `sqlite:${join(folder, 'test.sqlite')}`, ...options })
  onTestFinished(() => world.stop())
  return world
}
