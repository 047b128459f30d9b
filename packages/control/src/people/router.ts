import { procedure, router } from '../trpc.ts'
import { kidParams } from './schema.ts'
import { endSession, listSessions, whoAmI } from './service.ts'

export const peopleRouter = router({
  whoami: procedure('session:own').query(({ ctx }) => whoAmI(ctx)),
  sessions: procedure('sessions:read').query(({ ctx }) => listSessions(ctx)),
  endSession: procedure('sessions:read')
    .input(kidParams)
    .mutation(({ ctx, input }) => endSession(ctx, input.kid)),
})
