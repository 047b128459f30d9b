import type { AppRouter } from '@postern/control'
import type { inferRouterOutputs } from '@trpc/server'

export type Grant = inferRouterOutputs<AppRouter>['grants']['out']['grants'][number]
