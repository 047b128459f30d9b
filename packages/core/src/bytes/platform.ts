// The three things core takes from its platform. Every platform has them, but neither Node's nor the DOM's types are
// visible here (tsconfig: types []), so they are declared in this one file and nowhere else.
interface Encoder {
  encode(text: string): Uint8Array
}
interface Decoder {
  decode(bytes: Uint8Array): string
}
/** What core reads from a parsed URL; `href` is the normalised form. */
export interface ParsedUrl {
  readonly href: string
  readonly protocol: string
  readonly username: string
  readonly password: string
  readonly host: string
  readonly hostname: string
  readonly port: string
  readonly origin: string
  readonly pathname: string
  readonly search: string
  readonly hash: string
}
declare const TextEncoder: new () => Encoder
declare const TextDecoder: new (label: string, options: { fatal: boolean; ignoreBOM: boolean }) => Decoder
declare const URL: new (text: string, base?: string) => ParsedUrl

export const textEncoder: Encoder = new TextEncoder()
/** Refuses what is not UTF-8; `ignoreBOM` keeps U+FEFF in the text, so that `decodeUtf8` can see and refuse it. */
export const strictTextDecoder: Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** `undefined` when the text is not an absolute URL. Does NOT check the scheme. */
export function parseUrl(text: string): ParsedUrl | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}
