import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonValue, Signed, State } from '@postern/core'
import { decodeSigned, portable, replay } from '@postern/core'
import type { Vector } from './read-vectors.ts'

/** A file of vectors whose cases start from logs: `logs` are lists of links into `statements`. */
interface LogFile<Input> {
  readonly logs: { readonly [name: string]: { readonly org: string; readonly entries: readonly string[] } }
  readonly statements: { readonly [link: string]: JsonValue }
  readonly vectors: readonly Vector<Input>[]
}

/** The cases of one file, and the state after each of its logs (replayed once). */
export function readLogVectors<Input>(path: string): { vectors: readonly Vector<Input>[]; stateOf: (log: string) => State } {
  const file: LogFile<Input> = JSON.parse(readFileSync(join(import.meta.dirname, 'vectors', path), 'utf8'))
  const states = new Map<string, State>()
  const stateOf = (log: string): State => {
    const { org, entries } = file.logs[log]!
    const state =
      states.get(log) ??
      replay(
        org,
        entries.map((link): Signed => decodeSigned(file.statements[link]!)),
        portable,
      )
    states.set(log, state)
    return state
  }
  return { vectors: file.vectors, stateOf }
}
