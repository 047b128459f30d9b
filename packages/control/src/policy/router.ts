import { adminsOf, decodeUtf8, policyFacts } from '@postern/core'
import { procedure, router } from '../trpc.ts'
import { discardDraft, listDrafts, openDraft, readDraft, saveDraft, signDraft, touchDraft } from './drafts.ts'
import { documentInput, draftParams, openInput, revisionInput, rolloutInput, saveInput, versionInput } from './schema.ts'
import { getPolicy, listPolicies } from './service.ts'
import { findVersion, listVersions, readRollout } from './versions.ts'

export const policiesRouter = router({
  list: procedure('policies:read').query(({ ctx }) => listPolicies(ctx)),
  document: procedure('policies:read')
    .input(documentInput)
    .query(async ({ ctx, input: { sha256 } }) => ({ sha256, text: decodeUtf8(await getPolicy(ctx, sha256)) })),
  versions: procedure('policies:read').query(({ ctx }) => listVersions(ctx)),
  version: procedure('policies:read')
    .input(versionInput)
    .query(({ ctx, input }) => findVersion(ctx, input.seq)),
  rollout: procedure('acks:read')
    .input(rolloutInput)
    .query(({ ctx, input }) => readRollout(ctx, input.sha256)),
  /** Names from the log, for completion, tests and the matrix. */
  facts: procedure('drafts:read').query(({ ctx: { control } }) => {
    const state = control.ledger.state
    if (!state) return { agents: [], tools: [], people: [], admins: [] }
    const people = [...state.identities.values()].filter(({ kind }) => kind === 'person').map(({ atsign }) => atsign)
    return { ...policyFacts(state), people: people.sort(), admins: adminsOf(state).map(({ atsign }) => atsign) }
  }),
  drafts: procedure('drafts:read').query(({ ctx }) => listDrafts(ctx)),
  draft: procedure('drafts:read')
    .input(draftParams)
    .query(({ ctx, input }) => readDraft(ctx, input.name)),
  openDraft: procedure('drafts:write')
    .input(openInput)
    .mutation(({ ctx, input }) => openDraft(ctx, input)),
  saveDraft: procedure('drafts:write')
    .input(saveInput)
    .mutation(({ ctx, input }) => saveDraft(ctx, input)),
  touchDraft: procedure('drafts:write')
    .input(draftParams)
    .mutation(({ ctx, input }) => touchDraft(ctx, input.name)),
  discardDraft: procedure('drafts:write')
    .input(revisionInput)
    .mutation(({ ctx, input }) => discardDraft(ctx, input.name, input.revision)),
  signDraft: procedure('drafts:write')
    .input(revisionInput)
    .mutation(({ ctx, input }) => signDraft(ctx, input.name, input.revision)),
})
