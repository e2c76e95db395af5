// For zsh: one function for each command, in the words of its own _arguments.
import type { ArgumentRow, CommandRow, OptionRow, Values } from './table.js'

export function zshScript(table: readonly CommandRow[]): string {
  return [
    '#compdef sms-bridge',
    '# Completes sms-bridge in zsh. Written by: sms-bridge completion zsh',
    ...table.map((row) => (row.commands.length > 0 ? group(row) : leaf(row))),
    // Loaded from a folder of fpath it is run at once, read by source it is only made known.
    'if [[ $funcstack[1] == _sms-bridge ]]; then',
    '  _sms-bridge "$@"',
    'else',
    '  compdef _sms-bridge sms-bridge',
    'fi',
  ].join('\n')
}

const functionOf = (path: string) => ['_sms-bridge', ...path.split(' ').filter((name) => name !== '')].join('_')

function group({ path, commands, options }: CommandRow): string {
  const run = commands.map(({ name }) => `        ${name}) ${functionOf(`${path} ${name}`)} ;;`)
  return [
    `${functionOf(path)}() {`,
    '  local context state state_descr line curcontext="$curcontext"',
    '  typeset -A opt_args',
    '  local -a commands=(',
    ...commands.map(({ name, help }) => `    ${quote(`${name}:${help}`)}`),
    '  )',
    `  ${argumentsCall('-C ', [...options.map(optionSpec), quote('1: :->command'), quote('*:: :->rest')])}`,
    '  case $state in',
    '    command) _describe -t commands command commands ;;',
    '    rest)',
    '      case $line[1] in',
    ...run,
    '      esac ;;',
    '  esac',
    '}',
  ].join('\n')
}

function leaf({ path, options, arguments: args }: CommandRow): string {
  const call = argumentsCall('', [...options.map(optionSpec), ...args.map(argumentSpec)])
  return [`${functionOf(path)}() {`, `  ${call}`, '}'].join('\n')
}

const argumentsCall = (how: string, specs: readonly string[]) => [`_arguments ${how}-S :`, ...specs].join(' \\\n    ')

function optionSpec({ flags, help, value }: OptionRow): string {
  const described = `[${help.replace(/[\\[\]]/g, '\\$&')}]`
  const taken = value === undefined ? '' : `${value.optional ? ':' : ''}:${plain(value.name)}:${action(value.values)}`
  const spec = (flag: string) => `${flag}${value !== undefined && flag.startsWith('--') ? '=' : ''}${described}${taken}`
  if (flags.length === 1) return quote(`${value === undefined ? '' : '*'}${spec(flags[0] ?? '')}`)
  return flags.map((flag) => quote(`(${flags.join(' ')})${spec(flag)}`)).join(' ')
}

function argumentSpec({ name, many, values }: ArgumentRow, index: number): string {
  return quote(`${many ? '*' : index + 1}:${plain(name)}:${action(values)}`)
}

function action(values: Values): string {
  if (values === undefined) return ' '
  if ('words' in values) return `(${values.words.join(' ')})`
  return values.paths === 'files' ? '_files' : '_files -/'
}

const plain = (text: string) => text.replaceAll(':', '\\:')
const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
