// How many segments a text takes: GSM-7 160 alone and 153 joined, UCS-2 70 alone and 67 joined.

const basic = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
)
const escaped = new Set('\f^{}\\[~]|€')

/** 1 for an empty text: Twilio counts it as a segment too. */
export function countSegments(body: string): number {
  const characters = [...body]
  const gsm = characters.every((character) => basic.has(character) || escaped.has(character))
  const widths = characters.map((character) => (gsm ? (escaped.has(character) ? 2 : 1) : character.length))
  const [alone, joined] = gsm ? [160, 153] : [70, 67]
  if (widths.reduce((sum, width) => sum + width, 0) <= alone) return 1
  let segments = 1
  let used = 0
  for (const width of widths) {
    // A character of two units never straddles two segments.
    if (used + width > joined) {
      segments += 1
      used = 0
    }
    used += width
  }
  return segments
}
