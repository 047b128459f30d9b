import type { AppRouter } from '@postern/control'
import type { inferRouterOutputs } from '@trpc/server'

type Outputs = inferRouterOutputs<AppRouter>
export type HeldCall = Outputs['approvals']['list']['approvals'][number]
export type Enrolment = Outputs['enrolment']['list']['enrolments'][number]
export type SigningRequest = Outputs['requests']['list']['requests'][number]
