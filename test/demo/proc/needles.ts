// Looking for a secret where it must not be: in every form in which programs usually write bytes, in one pass over any amount of memory.

/** One form of one secret. */
export interface Needle {
  /** Whose secret, for the report; never the secret itself. */
  readonly name: string
  readonly form: string
  readonly bytes: Buffer
}

/**
 * A secret as raw bytes, hexadecimal, base64 and base64url (at each of the three offsets at which it may stand inside something longer),
 * and all the texts also in UTF-16. A form that is too short to mean anything is left out.
 */
export function needlesOf(name: string, secret: Uint8Array | string): Needle[] {
  const raw = Buffer.from(secret as string)
  const texts: [string, string][] = [
    ['hex', raw.toString('hex')],
    ['HEX', raw.toString('hex').toUpperCase()],
    ...base64Forms(raw).map((text): [string, string] => ['base64', text]),
    ...base64Forms(raw)
      .filter((text) => /[+/]/.test(text))
      .map((text): [string, string] => ['base64url', text.replaceAll('+', '-').replaceAll('/', '_')]),
  ]
  if (typeof secret === 'string') texts.push(['text', secret])
  const forms = texts.flatMap(([form, text]): [string, Buffer][] => [
    [form, Buffer.from(text)],
    [`${form}, UTF-16`, Buffer.from(text, 'utf16le')],
    [`${form}, UTF-16 big-endian`, Buffer.from(text, 'utf16le').swap16()],
  ])
  const all: [string, Buffer][] = typeof secret === 'string' ? forms : [['raw', raw], ...forms]
  return all.filter(([, bytes]) => bytes.length >= MIN_BYTES).map(([form, bytes]) => ({ name, form, bytes }))
}
const MIN_BYTES = 12

/** The characters that are the same whatever stands around the secret, for each way in which it can fall on groups of three bytes. */
function base64Forms(raw: Buffer): string[] {
  return [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), raw]).toString('base64')
    return text.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + raw.length) * 8) / 6))
  })
}

/** Finds needles in chunks. Feed it what follows on the chunk before with `Haystack`, so that nothing hides on the border. */
export class Needles {
  readonly longest: number
  /** First two bytes → whether any needle begins so. */
  readonly #begins = new Uint8Array(1 << 16)
  /** The two bytes after those, likewise: together they turn nearly everything away. */
  readonly #goesOn = new Uint8Array(1 << 16)
  /** First four bytes → the needles that begin so. */
  readonly #byStart = new Map<number, Needle[]>()

  constructor(needles: readonly Needle[]) {
    this.longest = Math.max(0, ...needles.map(({ bytes }) => bytes.length))
    for (const needle of needles) {
      this.#begins[needle.bytes.readUInt16LE(0)] = 1
      this.#goesOn[needle.bytes.readUInt16LE(2)] = 1
      const start = needle.bytes.readUInt32LE(0)
      this.#byStart.set(start, [...(this.#byStart.get(start) ?? []), needle])
    }
  }

  /** Adds what is in `chunk` to `found`. */
  search(chunk: Buffer, found: Set<Needle>): void {
    const begins = this.#begins
    const goesOn = this.#goesOn
    const end = chunk.length - 3
    for (let at = 0; at < end; at += 1) {
      if (begins[chunk[at]! | (chunk[at + 1]! << 8)] === 0 || goesOn[chunk[at + 2]! | (chunk[at + 3]! << 8)] === 0) continue
      for (const needle of this.#byStart.get(chunk.readUInt32LE(at)) ?? []) {
        if (chunk.compare(needle.bytes, 0, needle.bytes.length, at, Math.min(at + needle.bytes.length, chunk.length)) === 0)
          found.add(needle)
      }
    }
  }
}

/** One continuous stretch of bytes, searched piece by piece. */
export class Haystack {
  readonly found = new Set<Needle>()
  bytes = 0
  readonly #needles: Needles
  #tail = Buffer.alloc(0)

  constructor(needles: Needles) {
    this.#needles = needles
  }

  add(piece: Uint8Array): void {
    this.bytes += piece.length
    const chunk = Buffer.concat([this.#tail, piece])
    this.#needles.search(chunk, this.found)
    this.#tail = Buffer.from(chunk.subarray(Math.max(0, chunk.length - this.#needles.longest + 1)))
  }

  /** What comes next does not follow on what came last. */
  gap(): void {
    this.#tail = Buffer.alloc(0)
  }
}
