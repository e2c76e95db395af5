// For fish: where the line is, in a function, and one `complete` for each thing that may follow.
import type { CommandRow, OptionRow, Values } from './table.js'

export function fishScript(table: readonly CommandRow[]): string {
  return [
    '# Completes sms-bridge in fish. Written by: sms-bridge completion fish',
    engine(table),
    'complete -c sms-bridge -e',
    'complete -c sms-bridge -f',
    ...table.flatMap(completionsOf),
  ].join('\n')
}

function completionsOf({ path, commands, options, arguments: args }: CommandRow): string[] {
  const at = `complete -c sms-bridge -n ${quote(`__sms_bridge_at '${path}'`)}`
  const on = (index: number, many: boolean) =>
    `complete -c sms-bridge -n ${quote(`__sms_bridge_at '${path}' ${index}${many ? ' more' : ''}`)}`
  return [
    ...commands.map(({ name, help }) => `${on(0, false)} -a ${name} -d ${quote(help)}`),
    ...options.map((option) => `${at} ${optionSpec(option)}`),
    ...args.flatMap(({ many, values }, index) => (values === undefined ? [] : [`${on(index, many)}${offer(values)}`])),
  ]
}

function optionSpec({ flags, help, value }: OptionRow): string {
  const names = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`))
  // One whose value may be left out is offered as it is: fish would insist on the value.
  const taken =
    value === undefined || value.optional ? '' : value.values === undefined ? ' -x' : ` -r${offer(value.values)}`
  return `${names.join(' ')}${taken} -d ${quote(help)}`
}

function offer(values: NonNullable<Values>): string {
  if ('words' in values) return ` -f -a ${quote(values.words.join(' '))}`
  return values.paths === 'files' ? ' -F' : " -f -a '(__fish_complete_directories)'"
}

const quote = (text: string) => `'${text.replace(/[\\']/g, '\\$&')}'`

function engine(table: readonly CommandRow[]): string {
  const paths = table.map(({ path }) => path).filter((path) => path !== '')
  // The same option may take a value in one command and none in another.
  const thatTake = (optional: boolean) =>
    table
      .flatMap(({ path, options }) =>
        options
          .filter(({ value }) => value?.optional === optional)
          .flatMap(({ flags }) => flags.map((flag) => quote(`${path} ${flag}`))),
      )
      .join(' ')
  return `function __sms_bridge_at -d 'is the command this one, with so many arguments'
    set -l words (commandline -opc)
    set -e words[1]
    set -l path ''
    set -l args 0
    set -l value ''
    for word in $words
        if test "$value" = must; or begin
                test "$value" = may; and not string match -q -- '-*' $word
            end
            set value ''
            continue
        end
        set value ''
        if contains -- "$path $word" ${thatTake(false)}
            set value must
            continue
        else if contains -- "$path $word" ${thatTake(true)}
            set value may
            continue
        else if string match -q -- '-*' $word
            continue
        end
        set -l longer (string trim -- "$path $word")
        if test $args = 0; and contains -- $longer ${paths.map(quote).join(' ')}
            set path $longer
        else
            set args (math $args + 1)
        end
    end
    test "$path" = "$argv[1]"; or return 1
    set -q argv[2]; or return 0
    test $args = "$argv[2]"; and return 0
    set -q argv[3]; and test $args -gt $argv[2]
end`
}
