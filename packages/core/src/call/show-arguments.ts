// packages/core/spec/hold.md §4
import { canonicalText } from '../bytes/canonical.ts'
import type { JsonObject, JsonValue } from '../bytes/json.ts'

/** One argument as a person reads it. */
export interface ShownArgument {
  readonly name: string
  /** The whole value as JSON text, never shortened; what would not be seen stands as `<U+001F>`. */
  readonly text: string
  /** Whether name or value has such characters: whoever shows it says so. */
  readonly hidden: boolean
}

/** What nobody sees, or sees as something else. U+0020 is the one space that shows. */
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu
const OPENING = /<(?=U\+)/g
const NOT_ASCII = /[^\x20-\x7e]/gu
/** An escape as JSON writes it. New line, tab, quote and backslash stay as they are; other controls are hardly meant. */
const ESCAPE = /\\(?:u([0-9a-f]{4})|(.))/g
const CONTROLS: { readonly [letter: string]: number } = { b: 8, f: 12, r: 13 }
const hex = (code: number): string => `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
const codePoint = (character: string): string => hex(character.codePointAt(0)!)

/**
 * Text in which nothing is invisible and that is safe to show. Injective: two different texts never come out the same. Letters that look
 * like those of another script are NOT detected.
 * @see packages/core/spec/hold.md §4
 */
export function showText(text: string): string {
  const seen = text.replace(OPENING, codePoint).replace(UNSEEN, codePoint)
  return seen.normalize('NFC') === seen ? seen : seen.replace(NOT_ASCII, codePoint)
}

/** Any JSON value in canonical form, made visible. */
export const showValue = (value: JsonValue): string =>
  showText(canonicalText(value)).replace(ESCAPE, (written, code: string | undefined, short: string) => {
    const control = code === undefined ? CONTROLS[short] : Number.parseInt(code, 16)
    return control === undefined ? written : hex(control)
  })

/** Whether something stands there that the text itself would not show. */
export const hasHidden = (shown: string): boolean => /<U\+(?!003C>)/.test(shown)

/** Every argument, in the order of its names. */
export const showArguments = (args: JsonObject): readonly ShownArgument[] =>
  Object.keys(args)
    .sort()
    .map((key) => {
      const [name, text] = [showText(key), showValue(args[key]!)]
      return { name, text, hidden: hasHidden(name) || hasHidden(text) }
    })
