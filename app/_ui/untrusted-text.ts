/** A piece of a text, and where it begins: shown as it is, or as a mark for a character that would not be seen. */
export type Piece = { readonly at: number } & ({ readonly text: string } | { readonly mark: string })

/** Controls, format, bidirectional, zero-width, private, unassigned and tag characters, and spaces that are not the ordinary one. */
const UNSEEN =
  /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u115f\u1160\u3164\uffa0]|[\ufe00-\ufe0f]|[\u{e0100}-\u{e01ef}]/u

/** Splits a text that came from outside so that everything in it can be seen. Line breaks and tabs count as unseen, too: a cell has one line. */
export function piecesOf(text: string, max = Number.POSITIVE_INFINITY): readonly Piece[] {
  const pieces: Piece[] = []
  let run = ''
  let shown = 0
  for (const character of text) {
    if (shown >= max) break
    shown += 1
    if (!UNSEEN.test(character)) {
      run += character
      continue
    }
    if (run) pieces.push({ at: shown - 1 - [...run].length, text: run })
    run = ''
    pieces.push({ at: shown - 1, mark: `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}` })
  }
  if (run) pieces.push({ at: shown - [...run].length, text: run })
  return pieces
}

/** The same as one string, for labels and titles that hold no elements: `pay<U+202E>fdp`. */
export const markedText = (text: string, max?: number): string =>
  piecesOf(text, max)
    .map((piece) => ('text' in piece ? piece.text : `<${piece.mark}>`))
    .join('')

export const hasUnseen = (text: string): boolean => [...text].some((character) => UNSEEN.test(character))
