/**
 * The order of SQLite's and PostgreSQL's `collate "C"`: by UTF-8 bytes, which is by code point. JavaScript's own
 * `<` compares UTF-16 units and puts U+1F600 before U+FF01.
 */
export function compareBytes(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i)
    const right = b.charCodeAt(i)
    if (left !== right) return codePointRank(left) - codePointRank(right)
  }
  return a.length - b.length
}

/** Surrogates (D800–DFFF) stand for code points above everything from E000 to FFFF. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit
}
