import { procedure, router } from '../trpc.ts'
import { listPolicies } from './service.ts'

export const policyRouter = router({
  list: procedure('policies:read').query(({ ctx }) => listPolicies(ctx)),
})
