import { actorOf } from '../context.ts'
import { route } from '../http/operation.ts'
import { listLabels, relabel, undoLabels } from './labels.ts'
import { reportPresence } from './report.ts'
import {
  admittedAnswer,
  admittedInput,
  changeAnswer,
  labelInput,
  labelList,
  listAnswer,
  listQuery,
  nameParams,
  reportAnswer,
  reportInput,
  toolsAnswer,
  undoInput,
} from './schema.ts'
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
    'fleet:read',
    { method: 'GET', path: '/api/v1/labels', summary: 'Labels of this console and how many names have each.', answer: labelList },
    async (context) => ({ labels: await listLabels(context.control, actorOf(context).org) }),
  ),
  route(
    'labels:write',
    {
      ...{ method: 'POST', path: '/api/v1/labels', body: labelInput, answer: changeAnswer, maxBytes: 1024 * 1024 },
      summary: 'Put labels on names and take them off. Unsigned notes: no policy sees them.',
    },
    (context, { body }) => relabel(context, body),
  ),
  route(
    'labels:write',
    { method: 'POST', path: '/api/v1/labels/undo', summary: 'Take a change of labels back.', body: undoInput, answer: changeAnswer },
    (context, { body }) => undoLabels(context, body.change),
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
