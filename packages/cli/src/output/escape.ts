/**
 * Characters that change how a terminal or a reader shows the rest: controls, formats (bidirectional and zero-width marks, tags), line and
 * paragraph separators, lone surrogates, private use, and letters that are blank.
 */
const DANGEROUS = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu

/** Makes any text safe to print on one line: `Dup<U+001F>licate`. Everything that came over the network goes through here. */
export const escapeText = (text: string): string =>
  text.replace(DANGEROUS, (found) => `<U+${found.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}>`)

/** As `escapeText`, keeping the line breaks: for documents such as a policy. */
export const escapeLines = (text: string): string => text.split(/\r?\n/).map(escapeText).join('\n')

/** JSON that is safe to print and says the same: the same characters as `\u` escapes. */
export const safeJson = (value: unknown, indent?: number): string =>
  JSON.stringify(value, null, indent).replace(DANGEROUS, (found) =>
    found === '\n' ? found : [...Array(found.length).keys()].map((i) => `\\u${found.charCodeAt(i).toString(16).padStart(4, '0')}`).join(''),
  )
