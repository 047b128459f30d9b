import { route } from '../http/operation.ts'
import { reportPresence } from './report.ts'
import { admittedAnswer, admittedInput, listAnswer, listQuery, nameParams, reportAnswer, reportInput, toolsAnswer } from './schema.ts'
import { admittedToRelay, listFleet, listTools } from './service.ts'

export const fleetRoutes = [
  route(
    'presence:report',
    {
      ...{ method: 'POST', path: '/api/v1/presence', summary: 'An edge says that it is here; answered with relays and head.' },
      ...{ body: reportInput, answer: reportAnswer, maxBytes: 4 * 1024 * 1024, maxDepth: 64 },
    },
    (context, { body }) => reportPresence(context, body),
  ),
  route(
    'fleet:read',
    { method: 'GET', path: '/api/v1/fleet', summary: 'Who is enrolled, and how they are.', query: listQuery, answer: listAnswer },
    (context, { query }) => listFleet(context, query),
  ),
  route(
    'fleet:read',
    {
      ...{ method: 'GET', path: '/api/v1/fleet/{atsign}/tools', summary: 'Tool definitions as a gateway reported them.' },
      ...{ params: nameParams, answer: toolsAnswer },
    },
    (context, { params }) => listTools(context, params.atsign),
  ),
  route(
    'relay:ask',
    {
      ...{ method: 'POST', path: '/api/v1/relay/admitted', summary: 'Which of these key ids may use a relay.' },
      ...{ body: admittedInput, answer: admittedAnswer },
    },
    (context, { body }) => admittedToRelay(context, body),
  ),
]
