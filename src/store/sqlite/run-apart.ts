import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { UserError } from '../../errors.js'
import type { TaskName, Tasks } from './copy.js'
import type { CopyAnswer, CopyTask } from './copy-thread.js'

/** Runs a task of copy.ts on a thread of its own; every file it opened is closed when this resolves. */
export async function runApart<Name extends TaskName>(
  name: Name,
  ...args: Parameters<Tasks[Name]>
): Promise<Awaited<ReturnType<Tasks[Name]>>> {
  const workerData: CopyTask = { name, args }
  const worker = new Worker(new URL('./copy-thread.js', import.meta.url), { workerData, name: 'copy' })
  const exited = new Promise((resolve) => worker.once('exit', resolve))
  const [answer] = (await once(worker, 'message')) as [CopyAnswer] // rejects when the thread throws
  await exited
  if ('failed' in answer) throw answer.users ? new UserError(answer.failed) : new Error(answer.failed)
  return answer.value as Awaited<ReturnType<Tasks[Name]>> // what the task of this name answers
}
