import { z } from 'zod'
import { atsign } from '../fields.ts'
import { procedure, router } from '../trpc.ts'
import { listPeople, readPerson } from './roster.ts'
import { kidParams } from './schema.ts'
import { endOtherSessions, endSession, listSessions, whoAmI } from './service.ts'

const name = z.strictObject({ atsign })

export const peopleRouter = router({
  list: procedure('people:read').query(({ ctx }) => listPeople(ctx)),
  get: procedure('people:read')
    .input(name)
    .query(({ ctx, input }) => readPerson(ctx, input.atsign)),
  whoami: procedure('session:own').query(({ ctx }) => whoAmI(ctx)),
  sessions: procedure('sessions:read').query(({ ctx }) => listSessions(ctx)),
  endSession: procedure('sessions:read')
    .input(kidParams)
    .mutation(({ ctx, input }) => endSession(ctx, input.kid)),
  endOtherSessions: procedure('sessions:read')
    .input(name)
    .mutation(({ ctx, input }) => endOtherSessions(ctx, input.atsign)),
})
