import type { ChainOp } from '@postern/core'
import { decodeBase64url } from '@postern/core'
import type { Context } from '../context.ts'
import { idParams, refuseInput } from '../enrolment/schema.ts'
import { procedure, router } from '../trpc.ts'
import type { Draft } from './draft.ts'
import { draftInvite, draftRequest, draftRevocation, redraft } from './draft.ts'
import { draftEnrolment } from './draft-enrolment.ts'
import { draftEnrolmentInput, draftInput, draftInviteInput, draftRevocationInput, newRequestInput } from './schema.ts'
import { createRequest, getRequest, listRequests, refuseRequest } from './service.ts'
import { signerUrl } from './signer-url.ts'

/** What a page needs to send somebody off to sign, and to follow it. */
export const opened = (context: Context, draft: Draft, back?: string) => ({ ...draft, url: signerUrl(context, draft, back) })

export const requestsRouter = router({
  list: procedure('requests:read').query(({ ctx }) => listRequests(ctx)),
  get: procedure('requests:read')
    .input(idParams)
    .query(({ ctx, input }) => getRequest(ctx, input.id)),
  create: procedure('requests:write')
    .input(newRequestInput)
    .mutation(({ ctx, input }) => createRequest(ctx, input)),
  draft: procedure('requests:draft')
    .input(draftInput)
    .mutation(async ({ ctx, input: { op, body, policy, back } }) => {
      const document = policy === undefined ? {} : { policy: decodeBase64url(policy) }
      return opened(ctx, await draftRequest(ctx, { op: op as ChainOp, body: body as never, ...document }), back)
    }),
  draftRevocation: procedure('requests:draft')
    .input(draftRevocationInput)
    .mutation(async ({ ctx, input: { back, ...wanted } }) => opened(ctx, await draftRevocation(ctx, wanted), back)),
  draftInvite: procedure('requests:draft')
    .input(draftInviteInput)
    .mutation(async ({ ctx, input }) => opened(ctx, await draftInvite(ctx, input))),
  draftEnrolment: procedure('requests:draft')
    .input(draftEnrolmentInput)
    .mutation(async ({ ctx, input: { enrolment, back, ...decision } }) =>
      opened(ctx, await draftEnrolment(ctx, enrolment, decision), back),
    ),
  redraft: procedure('requests:draft')
    .input(idParams)
    .mutation(async ({ ctx, input }) => opened(ctx, await redraft(ctx, input.id))),
  refuse: procedure('requests:refuse')
    .input(idParams.extend(refuseInput.shape))
    .mutation(({ ctx, input }) => refuseRequest(ctx, input.id, input.reason)),
})
