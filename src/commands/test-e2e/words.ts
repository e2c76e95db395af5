// What the test's texts say: words and no digits, which Twilio takes for a one-time code (30038) or for a machine's
// loop (30039), and no word of the STOP and START families.

const colours = 'amber azure blue bronze copper coral crimson golden green indigo ivory jade olive purple silver teal'
const animals = 'badger beaver crane dolphin falcon heron lynx marmot otter owl panda raven robin salmon tiger wren'
const places = 'canyon delta desert fjord forest garden glacier harbour island lagoon meadow prairie river valley'
const vocabulary = [colours, animals, places].map((words) => words.split(' '))

/** `blue-otter-canyon`. `random`: 0 ≤ x < 1. */
export function newWords(random: () => number): string {
  return vocabulary.map((words) => words[Math.floor(random() * words.length)]).join('-')
}

/** However a phone wrote them: with capitals, spaces, a full stop. */
export function says(text: string, words: string): boolean {
  return plain(text).includes(` ${plain(words).trim()} `)
}

/** Whether some test of ours wrote this. */
export function isCheck(text: string): boolean {
  const written = plain(text).trim().split(' ')
  return written.some((_, at) => vocabulary.every((words, index) => words.includes(written[at + index] ?? '')))
}

function plain(text: string): string {
  const letters = text
    .replace(/<[^>]*>/g, ' ')
    .toLowerCase()
    .replace(/[^a-z]+/g, ' ')
  return ` ${letters.trim()} `
}
