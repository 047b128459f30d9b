import { acksRouter } from './acks/router.ts'
import { approvalsRouter } from './approvals/router.ts'
import { authorityRouter } from './authority/router.ts'
import { callsRouter } from './calls/router.ts'
import { enrolmentRouter } from './enrolment/router.ts'
import { fleetRouter } from './fleet/router.ts'
import { grantsRouter } from './grants/router.ts'
import { peopleRouter } from './people/router.ts'
import { policiesRouter } from './policy/router.ts'
import { requestsRouter } from './requests/router.ts'
import { revocationsRouter } from './revocations/router.ts'
import { statusRouter } from './status/router.ts'
import { streamRouter } from './stream/router.ts'
import { createCallerFactory, router } from './trpc.ts'

/** The console's door: the same services and schemas as the REST routes, a router per noun. */
export const appRouter = router({
  acks: acksRouter,
  approvals: approvalsRouter,
  authority: authorityRouter,
  calls: callsRouter,
  enrolment: enrolmentRouter,
  fleet: fleetRouter,
  grants: grantsRouter,
  people: peopleRouter,
  policies: policiesRouter,
  requests: requestsRouter,
  revocations: revocationsRouter,
  status: statusRouter,
  stream: streamRouter,
})
export type AppRouter = typeof appRouter
export const createCaller = createCallerFactory(appRouter)
