import type { Shape } from '../../bytes/shape.ts'
import { object } from '../../bytes/shape.ts'
import { VerifyError } from '../../errors.ts'
import type { Kind } from '../kind.ts'
import type { Target } from '../state.ts'
import { targetId } from '../state.ts'
import { nameOfTarget, targetShape, targetText } from '../targets.ts'

export type ReleaseBody = { readonly target: Target }
const body: Shape<ReleaseBody> = object({ target: targetShape })

/** Lifts suspensions of exactly this target signed so far. Never decided by the target itself; never undoes a revocation. */
export const release: Kind<ReleaseBody> = {
  title: 'Lift a suspension',
  body,
  classOf: () => 'routine',
  describe: ({ target }, _, state) => [
    `This lifts every suspension so far of the ${targetText(target, state)}.`,
    'A revocation stays: it is never undone.',
  ],
  apply(state, { at, seq, body: { target } }) {
    const name = nameOfTarget(state, target)
    const isKnown = name || target.kind === 'grant' || target.kind === 'invite'
    if (!isKnown) throw new VerifyError('UNKNOWN_TARGET', `no ${target.kind} ${target.id}`)
    const releases = new Map(state.releases).set(targetId(target), { target, at, seq })
    return { state: { ...state, releases }, ...(name && { except: name }) }
  },
}
