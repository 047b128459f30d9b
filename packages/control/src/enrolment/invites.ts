import { isRevoked } from '@postern/core'
import type { Context } from '../context.ts'

/** Fleet tokens by the log, newest first: how many enrolments are left of each. The tokens themselves were never here. */
export function listInvites({ control }: Context) {
  const { ledger, now } = control
  const { state, revocations } = ledger
  const invites = [...(state?.invites.values() ?? [])].map(({ kid, kind, tags, owner, uses, left, exp, seq }) => ({
    ...{ kid: kid as string, kind, tags: [...tags], uses, left, exp, seq },
    ...(owner ? { owner: owner as string } : {}),
    state: statusOf(isRevoked(revocations, state!, { invite: kid }, now()) !== undefined, left, exp, now()),
  }))
  return { invites: invites.sort((a, b) => b.seq - a.seq) }
}

function statusOf(isVoid: boolean, left: number, exp: number, now: number): 'open' | 'used' | 'expired' | 'revoked' {
  if (isVoid) return 'revoked'
  if (left === 0) return 'used'
  return exp <= now ? 'expired' : 'open'
}
