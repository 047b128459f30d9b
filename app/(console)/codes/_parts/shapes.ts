import type { AppRouter } from '@postern/control'
import type { inferRouterOutputs } from '@trpc/server'

type Outputs = inferRouterOutputs<AppRouter>
export type Code = Outputs['enrolment']['codes']['codes'][number]
export type FleetToken = Outputs['enrolment']['invites']['invites'][number]
/** A code that was just made, with the one link to it. */
export type Made = Outputs['enrolment']['createJoin']
