import { Buffer } from 'node:buffer'

/** Where something secret stands in a text, in UTF-16 units, and what it looks like. Never the secret itself. */
export interface Finding {
  readonly start: number
  readonly end: number
  /** e.g. `jwt`, `assigned-secret`, or the id of a secretlint rule. */
  readonly kind: string
}

/**
 * Secrets by their shape rather than by their vendor: what is assigned to a name that says so, passwords in URLs and on command lines,
 * JSON Web Tokens, private keys, and tokens of one vendor prefix and much randomness. Every scan is one pass over the text.
 * A rule set of known vendors (secretlint) runs beside it: see `secrets.ts`.
 */
export function findShapes(text: string): readonly Finding[] {
  const found: Finding[] = []
  for (const token of tokensOf(text)) {
    const kind = kindOf(token, text)
    if (kind) found.push({ start: token.start, end: token.end, kind })
  }
  return [...found, ...privateKeys(text)]
}

interface Token {
  readonly start: number
  readonly end: number
  readonly text: string
}
const MAX_TOKEN = 8_192
const isWordAt = (code: number): boolean =>
  (code >= 48 && code <= 57) || (code >= 64 && code <= 90) || (code >= 97 && code <= 122) || EXTRA.has(code)
/** What secrets contain beside letters and digits. Quotes, brackets, commas, semicolons and white space end a token. */
const EXTRA = new Set([...'_-.~+/=!#$%^&*|?:'].map((character) => character.charCodeAt(0)))

function* tokensOf(text: string): Generator<Token> {
  let start = -1
  for (let at = 0; at <= text.length; at += 1) {
    if (at < text.length && isWordAt(text.charCodeAt(at))) {
      if (start < 0) start = at
      continue
    }
    if (start >= 0 && at - start >= 6) yield* split(text, start, at)
    start = -1
  }
}

/** `name=value`, `name:value` and `header:value` are two tokens; a URL and base64 padding are not taken apart. */
function* split(text: string, from: number, to: number): Generator<Token> {
  const raw = text.slice(from, Math.min(to, from + MAX_TOKEN))
  const scheme = raw.indexOf('://')
  if (scheme > 0) return yield trimmed(raw, from)
  const cut = Math.max(assignmentIn(raw), -1)
  if (cut < 0) return yield trimmed(raw, from)
  yield trimmed(raw.slice(cut + 1), from + cut + 1)
}

/** The last `=` or `:` that has a name before it and something after it. */
function assignmentIn(raw: string): number {
  const unpadded = raw.replace(/=+$/, '')
  for (let at = 1; at < unpadded.length - 1; at += 1) {
    const character = unpadded[at]
    if ((character === '=' || character === ':') && isName(unpadded.slice(0, at))) return at
  }
  return -1
}
const isName = (text: string): boolean => text.length <= 64 && /^[#$A-Za-z_.][\w.-]*$/.test(text)

function trimmed(raw: string, start: number): Token {
  let from = 0
  let to = raw.length
  while (from < to && ':=.?!,*#&'.includes(raw[from]!)) from += 1
  while (to > from && '.?!:&'.includes(raw[to - 1]!)) to -= 1
  return { start: start + from, end: start + to, text: raw.slice(from, to) }
}

function kindOf(token: Token, whole: string): string | undefined {
  const { text } = token
  if (text.length < 6) return undefined
  if (isJwt(text)) return 'jwt'
  if (text.includes('://')) return hasPassword(text) ? 'url-password' : undefined
  if (isPlaceholder(text)) return undefined
  const before = whole.slice(Math.max(0, token.start - 96), token.start)
  if (isCommandLinePassword(before, text)) return 'command-line-password'
  if (saysSecret(before) && isRandom(text)) return 'assigned-secret'
  return undefined
}

/** Three base64url parts, the first two JSON objects, the first with an `alg`. Encrypted ones have five. */
function isJwt(text: string): boolean {
  if (!text.startsWith('eyJ')) return false
  const [header, ...rest] = text.split('.')
  if (rest.length < 1) return false
  return isJsonObjectText(header!) || (rest[0]!.startsWith('eyJ') && rest.length >= 2)
}

function isJsonObjectText(part: string): boolean {
  try {
    const value = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && ('alg' in value || 'enc' in value || 'typ' in value)
  } catch {
    return false
  }
}

/** `scheme://user:password@host`. */
function hasPassword(text: string): boolean {
  const authority = text.slice(text.indexOf('://') + 3).split('/', 1)[0]!
  const at = authority.lastIndexOf('@')
  if (at < 0) return false
  const colon = authority.indexOf(':')
  if (colon < 0 || colon > at) return false
  const password = authority.slice(colon + 1, at)
  return password.length >= 3 && !isPlaceholder(password)
}

/** `curl -u name:password`, `--user name:password`. */
function isCommandLinePassword(before: string, text: string): boolean {
  if (!/(?:^|\s)(?:-u|--user|--proxy-user)[=\s]+['"]?(?:[\w.@-]*:)?$/.test(before.slice(-80))) return false
  return before.endsWith(':') || (text.includes(':') && !isPlaceholder(text.slice(text.indexOf(':') + 1)))
}

/** Names under which secrets are kept, and headers that carry them; the value follows on the same line. */
const NAMES =
  /(?:api[_.-]?key|access[_.-]?key|access[_.-]?token|app[_.-]?secret|auth[_.-]?token|secret[_.-]?(?:key|value|token|access[_.-]?key)?|consumer[_.-]?key|passwd|password|pass[_.-]?phrase|private[_.-]?key|signing[_.-]?key|[a-z]{4,}[_-]?(?:key|token|login)|token|authorization|bearer)/i
const LINK = /^[\w.-]{0,16}["'`\]\\]*\s{0,4}(?:=>|:=|=|:|,)[\s"'`>\\]*(?:(?:bearer|basic|token|apikey)\s+["'`\\]*)?$/i

/** Whether the text in front of a value names a secret and assigns. */
function saysSecret(before: string): boolean {
  const line = before.slice(before.lastIndexOf('\n') + 1)
  const all = [...line.matchAll(new RegExp(NAMES, 'gi'))]
  const last = all.at(-1)
  if (!last || /public|csrf|authenticity|pub_?key|key[_-]?(?:id|name|vault)/i.test(line)) return false
  return LINK.test(line.slice(last.index + last[0].length))
}

/** What nobody chose: long, of several kinds of characters, and no name of a thing, no path, no date. */
function isRandom(text: string): boolean {
  if (text.length < 16 || text.length > 512) return false
  if (/^[\d.,:/-]+$|^[A-Za-z]+$|^[a-z]+(?:[._-][a-z0-9]+)+$/.test(text)) return false
  if (/^[.~]?\/|^\w+\/\w+\/|^[A-Z]\w*\.[A-Za-z]\w*$|\.(?:pem|p12|key|crt|json|ya?ml|txt|js|py)$|process\.env|os\.environ/.test(text))
    return false
  if (!text.split(/[-_./]/).some((part) => part.length >= 8 && digitsIn(part) >= 1)) return false
  return digitsIn(text) >= 3 && entropy(text) >= 3
}

/** A run of one character, or hardly any different ones: what stands for a secret in a form. */
export const isFiller = (text: string): boolean =>
  /(.)\1{5,}|x{4,}|\*{3,}|#{4,}|\.{3,}/i.test(text) || (text.length >= 8 && new Set(text.toLowerCase()).size <= 6)

/** What documents put where a secret would stand. */
function isPlaceholder(text: string): boolean {
  if (isFiller(text)) return true
  if (/1234567890?$|changeme|placeholder|your[-_]|[-_]?here$|example|dummy|redacted|random|initial$/i.test(text)) return true
  if (/^(?:[<[{%$]|(?:user|pass|secret|todo|none|null|undefined|true|false|password|postgres|mongodb|admin|root|test)\w{0,4}$)/i.test(text))
    return true
  return /^(?:.*[-_])?abc\w{0,8}$/i.test(text)
}

const digitsIn = (text: string): number => {
  let digits = 0
  for (let at = 0; at < text.length; at += 1) if (text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) digits += 1
  return digits
}

/** Shannon entropy in bits per character. */
function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length)
  return bits
}

/** PEM blocks with a private key; one without an end reaches to the end of the text. */
function privateKeys(text: string): readonly Finding[] {
  const found: Finding[] = []
  for (let start = text.indexOf('-----BEGIN '); start >= 0; start = text.indexOf('-----BEGIN ', start + 11)) {
    const label = text.slice(start + 11, start + 64).split('-----', 1)[0]!
    if (!/PRIVATE KEY/.test(label)) continue
    const close = text.indexOf('-----END ', start)
    const end = close < 0 ? text.length : Math.min(text.length, close + 14 + label.length)
    if (end - start >= 96) found.push({ start, end, kind: 'private-key' })
  }
  return found
}
