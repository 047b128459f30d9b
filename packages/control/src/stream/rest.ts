import { z } from 'zod'
import { actorOf } from '../context.ts'
import { queryInteger } from '../fields.ts'
import { parseWith } from '../http/input.ts'
import { route } from '../http/operation.ts'

const eventId = queryInteger(0, Number.MAX_SAFE_INTEGER)

export const streamRoutes = [
  route(
    'stream:read',
    {
      ...{ method: 'GET', path: '/api/v1/stream', answerType: 'text/event-stream' },
      summary: 'What happens, as server-sent events; resumes after the header last-event-id. `ready` comes first and says whether it did.',
    },
    async (context, { headers, signal }) => {
      const last = headers.get('last-event-id')
      const { control, until } = context
      const lastEventId = last
        ? parseWith(z.object({ 'last-event-id': eventId }), { 'last-event-id': last }, 'header')['last-event-id']
        : undefined
      return control.streams.open(actorOf(context), until, lastEventId, signal)
    },
  ),
]
