import type { AppRouter } from '@postern/control'
import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server'

type Outputs = inferRouterOutputs<AppRouter>
type Inputs = inferRouterInputs<AppRouter>
export type FleetPage = Outputs['fleet']['search']
export type Member = FleetPage['members'][number]
export type Selection = Inputs['fleet']['blast']
export type Blast = Outputs['fleet']['blast']
