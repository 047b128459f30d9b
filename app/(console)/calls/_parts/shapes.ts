import type { AppRouter } from '@postern/control'
import type { inferRouterOutputs } from '@trpc/server'

type Outputs = inferRouterOutputs<AppRouter>
export type Call = Outputs['calls']['search']['calls'][number]
export type CallStats = Outputs['calls']['stats']
export type CallDetail = Outputs['calls']['get']

export const CALL_KEYS = ['agent', 'gateway', 'server', 'tool', 'decision', 'code', 'rule', 'status', 'grant', 'ms'] as const
