// Runs one task of copy.ts and ends. The packaged SQLite closes a file for good only with the last statement, which
// nothing but the end of its thread lets go of for certain; and a file still open cannot be put elsewhere.
import { parentPort, workerData } from 'node:worker_threads'
import { describeError, UserError } from '../../errors.js'
import { type TaskName, tasks } from './copy.js'

export interface CopyTask {
  readonly name: TaskName
  readonly args: readonly unknown[]
}

export type CopyAnswer = { readonly value: unknown } | { readonly failed: string; readonly users: boolean }

const { name, args } = workerData as CopyTask // given by runApart
const run = tasks[name] as (...args: readonly unknown[]) => Promise<unknown> // name and arguments come together, typed

let answer: CopyAnswer
try {
  answer = { value: await run(...args) }
} catch (error) {
  answer = { failed: describeError(error), users: error instanceof UserError }
}
parentPort?.postMessage(answer)
