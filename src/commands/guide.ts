import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Context } from '../cli/context.js'
import { type ExitCode, exitCodes } from '../cli/exit-codes.js'
import { describeError, UserError } from '../errors.js'
import { gatherFacts } from './guide/facts.js'
import { guidePage } from './guide/page.js'

export interface GuideOptions {
  readonly output: string | undefined
  readonly force: boolean
}

/** The page for support agents: what is known of numbers and teams is filled in, what is not is said on stderr. */
export async function guide(context: Context, { output, force }: GuideOptions): Promise<ExitCode> {
  const { io } = context
  if (force && output === undefined) throw new UserError('--force belongs to --output: type --output FILE --force')
  const page = guidePage(await gatherFacts(context))
  if (output === undefined) io.out(page)
  else io.out(await write(resolve(output), page, force))
  return exitCodes.ok
}

async function write(path: string, page: string, force: boolean): Promise<string> {
  try {
    await writeFile(path, `${page}\n`, { flag: force ? 'w' : 'wx' })
    return path
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'EEXIST') {
      throw new UserError(`${path} is there already: name another file, or type --force to replace it`)
    }
    throw new UserError(`Cannot write ${path}: ${describeError(cause)}. Name another file: --output FILE`, { cause })
  }
}
