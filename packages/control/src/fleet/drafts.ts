import type { RiskClass, Target } from '@postern/core'
import { MAX_SUSPENSION_SECONDS, MAX_TARGETS } from '@postern/core'
import type { Context } from '../context.ts'
import { ControlError } from '../errors.ts'
import { draftRequest, draftRevocation } from '../requests/draft.ts'
import { signerUrl } from '../requests/signer-url.ts'
import type { Selection } from './search.ts'
import { resolveSelection } from './search.ts'

/** What a mutation of the console gives back: where to sign it, and the request to follow. */
export interface ToSign {
  readonly url: string
  readonly id: string
}

export interface Stop {
  readonly selection: Selection
  readonly reason: string
  /** Absent: for ever. */
  readonly hours?: number | undefined
}

const linkTo = (context: Context, draft: Awaited<ReturnType<typeof draftRevocation>>, back: string): ToSign => ({
  url: signerUrl(context, draft, back),
  id: draft.id,
})

/**
 * Drafts one revocation or, with `hours`, one suspension of everybody chosen, to be signed once.
 * @throws {ControlError} as `resolveSelection` and `draftRevocation`; TOO_MANY for one signature; CONFLICT for somebody who is not enrolled yet
 */
export async function draftStop(context: Context, { selection, reason, hours }: Stop): Promise<ToSign> {
  const members = await resolveSelection(context, selection)
  if (members.length > MAX_TARGETS) {
    const fix = 'narrow the filter, and sign once for each part'
    throw new ControlError('TOO_MANY', `one signature stops ${MAX_TARGETS} at most, not ${members.length}`, { fix })
  }
  const waiting = members.find(({ state }) => state === 'pending')
  if (waiting) throw new ControlError('CONFLICT', `${waiting.atsign} is not enrolled yet`, { fix: 'refuse its request in the inbox' })
  const targets = members.map(({ enrolment }): Target => ({ kind: 'enrolment', id: enrolment }))
  const until = hours === undefined ? undefined : context.control.now() + Math.min(hours * 3600, MAX_SUSPENSION_SECONDS)
  const draft = await draftRevocation(context, { targets, reason, until })
  return linkTo(context, draft, members.length === 1 ? `/fleet/${members[0]!.atsign}` : '/fleet')
}

/** Drafts the end of a suspension of exactly this target. @throws {ControlError} as `draftRequest` */
export async function draftRelease(context: Context, { target, back }: { target: Target; back: string }): Promise<ToSign> {
  return linkTo(context, await draftRequest(context, { op: 'release', body: { target } }), back)
}

/** So many tools are sure to fit into one statement. */
export const TOOLS_PER_STATEMENT = 100

export interface Pin {
  readonly gateway: string
  readonly server: string
  readonly set: readonly { readonly name: string; readonly digest: string; readonly risk: RiskClass }[]
  readonly unset: readonly string[]
}

/** Drafts one statement that pins tools as they are defined now, and unpins others. @throws {ControlError} TOO_MANY; as `draftRequest` */
export async function draftPin(context: Context, { gateway, server, set, unset }: Pin): Promise<ToSign> {
  if (set.length + unset.length > TOOLS_PER_STATEMENT) {
    throw new ControlError('TOO_MANY', `one statement pins ${TOOLS_PER_STATEMENT} tools at most`, { fix: 'pin them in parts' })
  }
  const body = { gateway: gateway as never, server, set: set.toSorted((a, b) => (a.name < b.name ? -1 : 1)), unset: [...unset].sort() }
  return linkTo(context, await draftRequest(context, { op: 'server.pin', body }), `/fleet/${gateway}`)
}

/** Drafts the end of some grants before their time. @throws {ControlError} as `draftRevocation` */
export async function draftGrantStop(context: Context, { hashes, reason }: { hashes: readonly string[]; reason: string }): Promise<ToSign> {
  const targets = hashes.map((id): Target => ({ kind: 'grant', id }))
  return linkTo(context, await draftRevocation(context, { targets, reason }), '/grants')
}
