import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** One case of `test/vectors`: its input fields are those of the format; `expect` is `ok` or an error code. */
export type Vector<Input> = Input & { readonly name: string; readonly expect: string }

/** The cases of one file, e.g. `readVectors<{ text: string }>('atsign/atsign.json')`. */
export function readVectors<Input>(path: string): readonly Vector<Input>[] {
  return JSON.parse(readFileSync(join(import.meta.dirname, 'vectors', path), 'utf8')).vectors
}

export const fromHex = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

/** Runs a check that throws errors with a `code`; the code, or `ok`. Anything else that is thrown is a bug and goes on. */
export function outcome(run: () => unknown): string {
  try {
    run()
    return 'ok'
  } catch (error) {
    if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code
    throw error
  }
}
