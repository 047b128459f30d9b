import type { AppRouter } from '@postern/control'
import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server'

type Outputs = inferRouterOutputs<AppRouter>['policies']
export type Draft = NonNullable<Outputs['draft']>
export type Version = Outputs['versions'][number]
export type Facts = Outputs['facts']
export type Rollout = NonNullable<Outputs['rollout']>
export type OpenFrom = inferRouterInputs<AppRouter>['policies']['openDraft']['from']

/** What a CONFLICT carries: the text that somebody saved meanwhile. */
export interface Theirs {
  readonly revision: number
  readonly text: string
  readonly by: string
  readonly at: number
}

/** Reads it out of a refusal, if it is one. */
export function theirsOf(error: unknown): Theirs | undefined {
  const data = (error as { data?: { reason?: string; theirs?: Theirs } | null }).data
  return data?.reason === 'CONFLICT' ? data.theirs : undefined
}

const NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/
/** The draft that goes on from a policy: of the same name, which the log allows more freely than an address does. */
export const draftNameOf = (name: string): string => (NAME.test(name) ? name : 'main')
