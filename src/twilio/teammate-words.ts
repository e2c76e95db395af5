// What a failed text's code means to the teammate who wrote it: no consoles, no queues.

// biome-ignore format: one row a code reads as a table
const rows: readonly (readonly [words: string, ...codes: number[]])[] = [
  ['The customer texted STOP: nothing may be texted to them until they text START.', 21610, 30630],
  ['The number is not valid.', 21211],
  ['The number is not a mobile number.', 21614, 21635],
  ['Our Twilio account does not allow texts to that country.', 21408],
  ['The phone is off or has no signal.', 30003],
  ['The carrier or the customer blocks texts from us.', 30004],
  ['The carrier does not know the number: it may not exist any more.', 30005],
  ['The number is a landline, or its carrier takes no texts from us.', 30006],
  ['The carrier took the text for spam.', 30007],
  ['The carrier gave no reason.', 30008],
  ['Our toll-free number is not verified yet, so carriers refuse its texts.', 30032],
  ['Our number is not registered for texts in the US yet, so carriers refuse them.', 30033, 30034],
  ['It could not be passed on in time.', 30036],
  ['Twilio had a fault of its own.', 20429, 20500, 20503, 20504],
]

const byCode: ReadonlyMap<number, string> = new Map(
  rows.flatMap(([words, ...codes]) => codes.map((code): [number, string] => [code, words])),
)

/** Undefined where the words for whoever looks after the account do as well. */
export function wordsForTeammates(code: number): string | undefined {
  return byCode.get(code)
}
