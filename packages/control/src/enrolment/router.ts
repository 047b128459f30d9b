import { z } from 'zod'
import { atsign } from '../fields.ts'
import { procedure, router } from '../trpc.ts'
import { createCode, createJoin, listCodes, voidCode } from './codes.ts'
import { readHandshake } from './handshake.ts'
import { listInvites } from './invites.ts'
import { idParams, newCodeInput, newJoinInput, refuseInput } from './schema.ts'
import { getEnrolment, listEnrolments, refuseEnrolment } from './service.ts'

export const enrolmentRouter = router({
  list: procedure('enrolments:read').query(({ ctx }) => listEnrolments(ctx)),
  get: procedure('enrolments:read')
    .input(idParams)
    .query(({ ctx, input }) => getEnrolment(ctx, input.id)),
  refuse: procedure('enrolments:refuse')
    .input(idParams.extend(refuseInput.shape))
    .mutation(({ ctx, input }) => refuseEnrolment(ctx, input.id, input.reason)),
  codes: procedure('codes:manage').query(({ ctx }) => listCodes(ctx)),
  createCode: procedure('codes:manage')
    .input(newCodeInput)
    .mutation(({ ctx, input }) => createCode(ctx, input)),
  createJoin: procedure('codes:manage')
    .input(newJoinInput)
    .mutation(({ ctx, input }) => createJoin(ctx, input)),
  voidCode: procedure('codes:manage')
    .input(idParams)
    .mutation(({ ctx, input }) => voidCode(ctx, input.id)),
  handshake: procedure('people:read')
    .input(z.strictObject({ agent: atsign }))
    .query(({ ctx, input }) => readHandshake(ctx, input.agent)),
  invites: procedure('codes:manage').query(({ ctx }) => listInvites(ctx)),
})
