import { idParams, refuseInput } from '../enrolment/schema.ts'
import { procedure, router } from '../trpc.ts'
import { newRequestInput } from './schema.ts'
import { createRequest, getRequest, listRequests, refuseRequest } from './service.ts'

export const requestsRouter = router({
  list: procedure('requests:read').query(({ ctx }) => listRequests(ctx)),
  get: procedure('requests:read')
    .input(idParams)
    .query(({ ctx, input }) => getRequest(ctx, input.id)),
  create: procedure('requests:write')
    .input(newRequestInput)
    .mutation(({ ctx, input }) => createRequest(ctx, input)),
  refuse: procedure('requests:write')
    .input(idParams.extend(refuseInput.shape))
    .mutation(({ ctx, input }) => refuseRequest(ctx, input.id, input.reason)),
})
