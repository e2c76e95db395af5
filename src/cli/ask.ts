// The prompts of wizards, at one terminal. Ctrl-C at any of them ends the command.
import type { Readable, Writable } from 'node:stream'

export interface Choice {
  readonly value: string
  readonly name: string
  /** Shown once it is chosen. Default: the name. */
  readonly short?: string
  /** Shown while it is the current one. */
  readonly description?: string
  readonly checked?: boolean
  /** Why it cannot be chosen. */
  readonly disabled?: string
}

/** `validate` answers true, or what is wrong. */
type Validate = (text: string) => Promise<true | string>

export interface Ask {
  text(question: string, options?: { readonly preset?: string; readonly validate?: Validate }): Promise<string>
  /** Not shown while it is typed. */
  secret(question: string, validate: Validate): Promise<string>
  confirm(question: string, preset: boolean): Promise<boolean>
  select(question: string, choices: readonly Choice[], preset?: string): Promise<string>
  checkbox(question: string, choices: readonly Choice[]): Promise<readonly string[]>
}

export async function createAsk(streams: { readonly input: Readable; readonly output: Writable }): Promise<Ask> {
  const prompts = await import('@inquirer/prompts')
  const listed = (choices: readonly Choice[]) =>
    choices.map(({ disabled, ...choice }) => ({ ...choice, ...(disabled !== undefined && { disabled }) }))
  return {
    text: (message, { preset, validate } = {}) =>
      prompts.input(
        { message, ...(preset !== undefined && { default: preset }), ...(validate !== undefined && { validate }) },
        streams,
      ),
    secret: (message, validate) => prompts.password({ message, validate }, streams),
    confirm: (message, preset) => prompts.confirm({ message, default: preset }, streams),
    select: (message, choices, preset) =>
      prompts.select({ message, choices: listed(choices), ...(preset !== undefined && { default: preset }) }, streams),
    checkbox: (message, choices) => prompts.checkbox({ message, choices: listed(choices), pageSize: 15 }, streams),
  }
}
