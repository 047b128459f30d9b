import { procedure, router } from '../trpc.ts'
import { createCode, listCodes, voidCode } from './codes.ts'
import { idParams, newCodeInput, refuseInput } from './schema.ts'
import { listEnrolments, refuseEnrolment } from './service.ts'

export const enrolmentRouter = router({
  list: procedure('enrolments:read').query(({ ctx }) => listEnrolments(ctx)),
  refuse: procedure('enrolments:refuse')
    .input(idParams.extend(refuseInput.shape))
    .mutation(({ ctx, input }) => refuseEnrolment(ctx, input.id, input.reason)),
  codes: procedure('codes:manage').query(({ ctx }) => listCodes(ctx)),
  createCode: procedure('codes:manage')
    .input(newCodeInput)
    .mutation(({ ctx, input }) => createCode(ctx, input)),
  voidCode: procedure('codes:manage')
    .input(idParams)
    .mutation(({ ctx, input }) => voidCode(ctx, input.id)),
})
