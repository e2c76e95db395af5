// For bash from 3.2 on (macOS), without the package bash-completion.
import type { CommandRow, Values } from './table.js'

export function bashScript(table: readonly CommandRow[]): string {
  return [
    '# Completes sms-bridge in bash. Written by: sms-bridge completion bash',
    '_sms_bridge_table() {',
    '  case "$1" in',
    ...table.map(tableRow),
    '  esac',
    '}',
    '_sms_bridge_values() {',
    "  values='' paths=''",
    '  case "$1" in',
    ...table.flatMap(valueRows),
    '  esac',
    '}',
    engine,
  ].join('\n')
}

function tableRow({ path, commands, options }: CommandRow): string {
  const flagsOf = (wanted: (option: CommandRow['options'][number]) => boolean) =>
    quote(
      options
        .filter(wanted)
        .flatMap(({ flags }) => flags)
        .join(' '),
    )
  const names = quote(commands.map(({ name }) => name).join(' '))
  const all = flagsOf(() => true)
  const must = flagsOf(({ value }) => value?.optional === false)
  const may = flagsOf(({ value }) => value?.optional === true)
  return `    ${quote(path)}) commands=${names} options=${all} must=${must} may=${may} ;;`
}

/** By path and option, or by path and number of the argument. */
function valueRows({ path, options, arguments: args }: CommandRow): string[] {
  return [
    ...options.flatMap(({ flags, value }) =>
      flags.flatMap((flag) => valueRow(quote(`${path} ${flag}`), value?.values)),
    ),
    ...args.flatMap(({ many, values }, index) =>
      valueRow(many ? `${quote(`${path} `)}[0-9]*` : quote(`${path} ${index + 1}`), values),
    ),
  ]
}

function valueRow(pattern: string, values: Values): string[] {
  if (values === undefined) return []
  const set =
    'words' in values ? `values=${quote(values.words.join(' '))}` : `paths=${values.paths === 'files' ? 'f' : 'd'}`
  return [`    ${pattern}) ${set} ;;`]
}

const quote = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

// bash takes --log=json apart into three words; where it does not, the part before the value is put back.
const engine = `_sms_bridge() {
  local commands options must may values paths
  local path='' args=0 option='' rest='' start='' word cur="\${COMP_WORDS[COMP_CWORD]}"
  _sms_bridge_table ''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $option == *= || ( -n $option && $word != '=' && " $must " == *" $option "* ) ]]; then
      option=''
      continue
    elif [[ -n $option && $word == '=' ]]; then
      option+='='
      continue
    elif [[ -n $option && $word != -* ]]; then
      option=''
      continue
    fi
    option=''
    if [[ -n $rest ]]; then
      args=$((args + 1))
    elif [[ $word == -- ]]; then
      rest=yes
    elif [[ $word == -* ]]; then
      [[ " $must $may " == *" $word "* ]] && option=$word
    elif [[ $args == 0 && " $commands " == *" $word "* ]]; then
      path="\${path:+$path }$word"
      _sms_bridge_table "$path"
    else
      args=$((args + 1))
    fi
  done
  if [[ -n $option && $cur == '=' ]]; then
    option+='='
    cur=''
  elif [[ -z $option && -z $rest && $cur == --*=* ]]; then
    option=\${cur%%=*}=
    start=$option
    cur=\${cur#*=}
  fi
  if [[ $option == *= || ( -n $option && " $must " == *" $option "* ) ]]; then
    _sms_bridge_values "$path \${option%=}"
  elif [[ $cur == -* && -z $rest ]]; then
    values=$options paths=''
  else
    _sms_bridge_values "$path $((args + 1))"
    [[ $args == 0 && -z $rest ]] && values="$commands $values"
    [[ -z $rest && -z $paths && -z \${values// /} ]] && values=$options
  fi
  COMPREPLY=()
  while IFS= read -r word; do
    COMPREPLY+=("$start$word")
  done < <(
    [[ -n $values ]] && compgen -W "$values" -- "$cur"
    [[ -n $paths ]] && compgen "-$paths" -- "$cur"
  )
  [[ -n $paths ]] && compopt -o filenames 2>/dev/null
  return 0
}
complete -F _sms_bridge sms-bridge`
