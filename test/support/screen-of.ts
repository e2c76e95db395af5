// As much of a terminal as prompts and spinners need: what stands on the screen, from its escape sequences.
export interface ScreenOf {
  write(text: string): void
  /** Lines without trailing blanks; nothing scrolls away. */
  text(): string
}

/** One control sequence (CSI), one operating system command (OSC), another escape, or one character. */
const token = /␛\[([?\d;]*)([A-Za-z])|␛\][^␇␛]*(?:␇|␛\\)|␛[^[\]]|[\s\S]/gu
/** One that has not come wholly. */
const unfinished = /␛(?:\[[?\d;]*|\][^␇␛]*)?$/
/** The two control characters that matter, in pictures: patterns must not hold the real ones. */
const inPictures = (text: string) => text.replaceAll('\u001b', '␛').replaceAll('\u0007', '␇')

export function createScreenOf(): ScreenOf {
  const lines: string[][] = [[]]
  let row = 0
  let column = 0
  let rest = ''
  const line = (): string[] => {
    while (lines.length <= row) lines.push([])
    return lines[row] ?? []
  }
  const put = (character: string) => {
    const cells = line()
    while (cells.length < column) cells.push(' ')
    cells[column] = character
    column += 1
  }
  const control = (parameters: string, letter: string) => {
    const [first = 0] = parameters.split(';').map(Number)
    const count = Math.max(1, first)
    if (letter === 'A') row = Math.max(0, row - count)
    else if (letter === 'B') row += count
    else if (letter === 'C') column += count
    else if (letter === 'D') column = Math.max(0, column - count)
    else if (letter === 'E') [row, column] = [row + count, 0]
    else if (letter === 'F') [row, column] = [Math.max(0, row - count), 0]
    else if (letter === 'G') column = count - 1
    else if (letter === 'J' && first === 0) {
      line().splice(column)
      lines.splice(row + 1)
    } else if (letter === 'K') {
      if (first === 2) lines[row] = []
      else if (first === 0) line().splice(column)
    }
  }
  return {
    write(text) {
      const all = rest + inPictures(text)
      const cut = unfinished.exec(all)?.index ?? all.length
      rest = all.slice(cut)
      for (const [whole, parameters, letter] of all.slice(0, cut).matchAll(token)) {
        if (letter !== undefined) control(parameters ?? '', letter)
        else if (whole === '\n') row += 1
        else if (whole === '\r') column = 0
        else if (whole === '\b') column = Math.max(0, column - 1)
        else if (whole.length <= 2 && !whole.startsWith('␛') && whole >= ' ') put(whole)
      }
    },
    text: () => lines.map((cells) => cells.join('').trimEnd()).join('\n'),
  }
}
