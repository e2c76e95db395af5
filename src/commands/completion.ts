import type { Command } from 'commander'
import type { Context } from '../cli/context.js'
import { type ExitCode, exitCodes } from '../cli/exit-codes.js'
import { bashScript } from './completion/bash.js'
import { fishScript } from './completion/fish.js'
import { readTable } from './completion/table.js'
import { zshScript } from './completion/zsh.js'

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

/** Prints a script that knows the whole command table by itself: no Tab starts this program. */
export function completion({ io }: Context, program: Command, shell: keyof typeof scripts): ExitCode {
  io.out(scripts[shell](readTable(program)))
  return exitCodes.ok
}
