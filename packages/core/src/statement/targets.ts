import type { Shape } from '../bytes/shape.ts'
import { digest, object, oneOf } from '../bytes/shape.ts'
import type { AtSign } from '../key/atsign.ts'
import type { KeyId } from '../key/public-key.ts'
import type { State, Target } from './state.ts'

export const targetShape: Shape<Target> = object({ kind: oneOf('enrolment', 'key', 'grant', 'invite'), id: digest })

/** The name a target belongs to, live or ended; undefined for grants and invites, and for what this state does not know. */
export function nameOfTarget(state: State, target: Target): AtSign | undefined {
  if (target.kind === 'enrolment') return state.enrolments.get(target.id)?.atsign
  if (target.kind === 'key') return state.keys.get(target.id as KeyId)?.atsign
  return undefined
}

/** The target in words: its name where the state knows it, and always its whole id. */
export function targetText(target: Target, state: State | undefined): string {
  const name = state && nameOfTarget(state, target)
  const whose = name ? ` of ${name}` : ''
  return `${{ enrolment: 'enrolment', key: 'key', grant: 'grant', invite: 'invite' }[target.kind]} ${target.id}${whose}`
}
