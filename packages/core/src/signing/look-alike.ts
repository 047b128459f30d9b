import type { AtSign } from '../key/atsign.ts'
import type { IdentityKind } from '../statement/names.ts'
import type { State } from '../statement/state.ts'

/** `shape`: drawn almost the same (`l` and `1`). `letter`: one letter more, less, another one, or two exchanged. */
export interface LookAlike {
  readonly atsign: AtSign
  readonly kind: IdentityKind
  readonly how: 'shape' | 'letter'
}

/** Names shorter than this, without the @, differ enough in one letter. */
const MIN_LETTERS = 4

/**
 * Names of the verified log, ended ones too, which a person may take for `atsign`; the most alike first. The grammar of atSigns rules out
 * foreign scripts, so these are `l`/`1`, `o`/`0`, `rn`/`m`, `-`/`_`, and neighbours one edit away. A warning, never a reason to refuse.
 */
export function lookAlikes(atsign: AtSign, state: Pick<State, 'names'>): readonly LookAlike[] {
  const found = [...state.names].flatMap(([other, kind]) => {
    const how = other === atsign ? undefined : howAlike(atsign, other)
    return how ? [{ atsign: other, kind, how }] : []
  })
  return found.sort((a, b) => Number(a.how === 'letter') - Number(b.how === 'letter') || (a.atsign < b.atsign ? -1 : 1))
}

function howAlike(a: string, b: string): LookAlike['how'] | undefined {
  const [drawnA, drawnB] = [drawn(a), drawn(b)]
  if (drawnA === drawnB) return 'shape'
  return Math.max(a.length, b.length) > MIN_LETTERS && isOneEdit(drawnA, drawnB) ? 'letter' : undefined
}

/** One spelling for everything that is drawn alike. */
const drawn = (name: string): string => name.replaceAll('rn', 'm').replaceAll('1', 'l').replaceAll('0', 'o').replaceAll('_', '-')

/** Whether one insertion, removal, replacement or exchange of neighbours leads from one to the other. */
export function isOneEdit(a: string, b: string): boolean {
  if (a.length > b.length) return isOneEdit(b, a)
  if (b.length - a.length > 1 || a === b) return false
  let i = 0
  while (i < a.length && a[i] === b[i]) i += 1
  if (a.length < b.length) return a.slice(i) === b.slice(i + 1)
  if (a.slice(i + 1) === b.slice(i + 1)) return true
  return a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2)
}
