import type { AppRouter } from '@postern/control'
import type { inferRouterInputs, inferRouterOutputs } from '@trpc/server'

type Outputs = inferRouterOutputs<AppRouter>
export type EntityData = Outputs['fleet']['entity']
export type Pins = Outputs['fleet']['pins']
export type PinnedServer = Pins['servers'][number]
export type SeenTool = PinnedServer['tools'][number]
export type Risk = inferRouterInputs<AppRouter>['fleet']['draftPin']['set'][number]['risk']
