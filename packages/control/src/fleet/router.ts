import { z } from 'zod'
import { actorOf } from '../context.ts'
import { atsign, serverName } from '../fields.ts'
import { procedure, router } from '../trpc.ts'
import { readActivity } from './activity.ts'
import { draftPin, draftRelease, draftStop } from './drafts.ts'
import { readEntity } from './entity.ts'
import { listLabels, relabel, undoLabels } from './labels.ts'
import { readDefinitions, readPins } from './pins.ts'
import { blastOf } from './reach.ts'
import { labelInput, nameParams, pinInput, releaseInput, stopInput, undoInput } from './schema.ts'
import { filterText, fleetFacets, resolveSelection, searchFleet, selection, sortText } from './search.ts'
import { listFleet, listTools } from './service.ts'

const kind = z.enum(['person', 'gateway', 'agent'])
const query = z.strictObject({ kind: kind.optional(), after: atsign.optional(), limit: z.int().min(1).max(500).optional() })
const page = z.strictObject({
  direction: z.literal('forward').optional(), // what a browser's infinite query says
  ...{ q: filterText.optional(), sort: sortText.optional(), cursor: z.string().max(400).optional() },
  limit: z.int().min(1).max(500).optional(),
})

export const fleetRouter = router({
  list: procedure('fleet:read')
    .input(query)
    .query(({ ctx, input }) => listFleet(ctx, input)),
  tools: procedure('fleet:read')
    .input(nameParams)
    .query(({ ctx, input }) => listTools(ctx, input.atsign)),
  search: procedure('fleet:read')
    .input(page)
    .query(({ ctx, input: { direction: _, ...input } }) => searchFleet(ctx, input)),
  facets: procedure('fleet:read').query(({ ctx }) => fleetFacets(ctx)),
  activity: procedure('fleet:read').query(({ ctx }) => readActivity(ctx)),
  entity: procedure('fleet:read')
    .input(nameParams)
    .query(({ ctx, input }) => readEntity(ctx, input.atsign)),
  pins: procedure('fleet:read')
    .input(nameParams)
    .query(({ ctx, input }) => readPins(ctx, input.atsign)),
  definitions: procedure('fleet:read')
    .input(z.strictObject({ gateway: atsign, server: serverName, tool: z.string().max(128) }))
    .query(({ ctx, input }) => readDefinitions(ctx, input)),
  /** Only reads; a mutation because the names of a selection do not fit into an address. */
  blast: procedure('fleet:read')
    .input(selection)
    .mutation(async ({ ctx, input }) => {
      const members = await resolveSelection(ctx, input)
      const pending = members.filter(({ state }) => state === 'pending').map(({ atsign: name }) => name)
      const blast = await blastOf(
        ctx,
        members.map(({ atsign: name }) => name),
      )
      return { ...blast, pending }
    }),
  labels: procedure('fleet:read').query(({ ctx }) => listLabels(ctx.control, actorOf(ctx).org)),
  draftStop: procedure('requests:draft')
    .input(stopInput)
    .mutation(({ ctx, input }) => draftStop(ctx, input)),
  draftRelease: procedure('requests:draft')
    .input(releaseInput)
    .mutation(({ ctx, input }) => draftRelease(ctx, input)),
  draftPin: procedure('requests:draft')
    .input(pinInput)
    .mutation(({ ctx, input }) => draftPin(ctx, input)),
  relabel: procedure('labels:write')
    .input(labelInput)
    .mutation(({ ctx, input }) => relabel(ctx, input)),
  undoLabels: procedure('labels:write')
    .input(undoInput)
    .mutation(({ ctx, input }) => undoLabels(ctx, input.change)),
})
