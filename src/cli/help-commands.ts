// Commands that help people with the others: completion for their shell, the agents' page.
import type { Command } from 'commander'
import type { CommandParts } from './machine-commands.js'

const installed = `Install it once; a new shell has it:
  bash  mkdir -p ~/.local/share/bash-completion/completions
        sms-bridge completion bash > ~/.local/share/bash-completion/completions/sms-bridge
        (without the package bash-completion: source that file in ~/.bashrc)
  zsh   mkdir -p ~/.zfunc && sms-bridge completion zsh > ~/.zfunc/_sms-bridge
        and in ~/.zshrc, before compinit: fpath=(~/.zfunc $fpath)
  fish  mkdir -p ~/.config/fish/completions
        sms-bridge completion fish > ~/.config/fish/completions/sms-bridge.fish
After an upgrade write it anew. To try it in this shell alone: source <(sms-bridge completion bash), or zsh; in fish
sms-bridge completion fish | source`

export function addHelpCommands(parts: CommandParts): void {
  addCompletion(parts)
  addGuide(parts)
}

function addCompletion({ command, context, ended }: CommandParts): void {
  const completion = command('completion', 'print a script that completes commands and options in your shell')
  completion
    .addArgument(completion.createArgument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', `\n${installed}`)
    .action(async (shell: 'bash' | 'zsh' | 'fish', _options: object, self: Command) => {
      const { completion } = await import('../commands/completion.js')
      ended(completion(await context({}), self.parent ?? self, shell))
    })
}

function addGuide({ command, context, ended }: CommandParts): void {
  command('guide', 'the page for support agents, as Markdown for your wiki, with your numbers and teams')
    .option('--output <file>', 'write it into this file')
    .option('--force', 'replace the file if it is there')
    .action(async ({ output, force = false }: { output?: string; force?: boolean }) => {
      const { guide } = await import('../commands/guide.js')
      ended(await guide(await context({}), { output, force }))
    })
}
