import { idParams } from '../enrolment/schema.ts'
import { placeOf, signerLink } from '../requests/signer-url.ts'
import { procedure, router } from '../trpc.ts'
import { listInput } from './schema.ts'
import { getApproval, listApprovals } from './service.ts'

/**
 * Held calls for the Inbox. Each has `id, agent, owner?, gateway, server, tool, risk, rule, approvers[], held, deadline, status, by?, reason?,
 * code?, outcome?, ms?, ended?` (schema `approval`); arguments open only in signer and CLI. The event kind `approval`
 * (`{id, status, agent, server, tool, risk, deadline, by?}`) says that one has changed. Deciding is the signer's: `/#` request of kind
 * `approval` with the id.
 */
export const approvalsRouter = router({
  list: procedure('approvals:read')
    .input(listInput)
    .query(({ ctx, input }) => listApprovals(ctx, input)),
  /** Where the signer opens it. */
  open: procedure('approvals:read')
    .input(idParams)
    .query(async ({ ctx, input }) => {
      const { id } = await getApproval(ctx, input.id)
      return { url: signerLink(ctx.control, { ...placeOf(ctx.control), kind: 'approval', id, back: '/inbox' }) }
    }),
  get: procedure('approvals:read')
    .input(idParams)
    .query(({ ctx, input }) => getApproval(ctx, input.id)),
})
