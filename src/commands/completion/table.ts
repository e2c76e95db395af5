// The command table as shells want it: one row for each command, with all that may be typed after it.
import type { Argument, Command, Option } from 'commander'
import { type Setting, settings } from '../../config/schema.js'

/** What may be typed in one place. */
export type Values = { readonly words: readonly string[] } | { readonly paths: 'files' | 'folders' } | undefined

export interface OptionRow {
  /** Such as `-y` and `--yes`. */
  readonly flags: readonly string[]
  readonly help: string
  readonly value?: { readonly name: string; readonly optional: boolean; readonly values: Values }
}

export interface ArgumentRow {
  readonly name: string
  readonly many: boolean
  readonly values: Values
}

export interface CommandRow {
  /** `dlq list`; empty for the program itself. */
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly help: string }[]
  readonly options: readonly OptionRow[]
  readonly arguments: readonly ArgumentRow[]
}

const everySetting: readonly Setting<unknown>[] = Object.values(settings)

export function readTable(program: Command): readonly CommandRow[] {
  const help = program.createHelp()
  // Those of the program itself may be typed anywhere.
  const everywhere = help.visibleOptions(program).filter((option) => takesValue(option))
  const rows = (command: Command, path: readonly string[], siblings: readonly string[]): CommandRow[] => {
    const commands = help.visibleCommands(command)
    const options = help.visibleOptions(command)
    const names = commands.map((one) => one.name())
    const row: CommandRow = {
      path: path.join(' '),
      commands: commands.map((one) => ({ name: one.name(), help: one.description() })),
      options: [...options, ...everywhere.filter((one) => !options.includes(one))].map(optionRow),
      arguments: command.registeredArguments.map((one) => argumentRow(one, siblings)),
    }
    return [row, ...commands.flatMap((one) => rows(one, [...path, one.name()], names))]
  }
  return rows(program, [], [])
}

const takesValue = ({ required, optional }: Option) => required || optional

function optionRow(option: Option): OptionRow {
  const { short, long, flags, description, argChoices } = option
  const row = {
    flags: [short, long].filter((flag) => flag !== undefined),
    help: description.replace(/ \(env: [^()]*\)$/, ''),
  }
  if (!takesValue(option)) return row
  const name = nameIn(flags)
  const choices = argChoices ?? everySetting.find(({ flag }) => flag === flags)?.choices
  const values = choices === undefined ? pathsNamed(name) : { words: choices }
  return { ...row, value: { name, optional: option.optional, values } }
}

function argumentRow(argument: Argument, siblings: readonly string[]): ArgumentRow {
  const name = argument.name()
  return { name, many: argument.variadic, values: valuesOf(name, argument.argChoices, siblings) }
}

function valuesOf(name: string, choices: readonly string[] | undefined, siblings: readonly string[]): Values {
  if (choices !== undefined) return { words: choices }
  if (name === 'setting') return { words: everySetting.map(({ env }) => env) }
  if (name === 'command') return { words: siblings }
  return pathsNamed(name)
}

function pathsNamed(name: string): Values {
  if (name === 'file') return { paths: 'files' }
  return name === 'folder' ? { paths: 'folders' } : undefined
}

/** `--port <number>` → `number`. */
function nameIn(flags: string): string {
  return /[<[]([^\]>]+)[\]>]/.exec(flags)?.[1] ?? ''
}
