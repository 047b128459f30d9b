import type { AppRouter } from '@postern/control'
import type { inferRouterOutputs } from '@trpc/server'

type Outputs = inferRouterOutputs<AppRouter>
export type Person = Outputs['people']['list']['people'][number]
export type PersonDetail = Outputs['people']['get']
export type PersonKey = Person['keys'][number]
