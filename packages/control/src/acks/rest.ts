import { route } from '../http/operation.ts'
import { readEffect } from './effective.ts'
import { effectAnswer, effectQuery, ingestAnswer, ingestInput, listAnswer, listQuery } from './schema.ts'
import { acknowledge, listAcks } from './service.ts'

const path = '/api/v1/acks'
export const acksRoutes = [
  route(
    'acks:write',
    {
      method: 'POST',
      path,
      summary: 'A gateway says what it has applied.',
      body: ingestInput,
      answer: ingestAnswer,
      maxBytes: 2 * 1024 * 1024,
    },
    (context, { body }) => acknowledge(context, body.acks),
  ),
  route(
    'acks:read',
    { method: 'GET', path, summary: 'The latest ack of each gateway, or the history of one.', query: listQuery, answer: listAnswer },
    (context, { query }) => listAcks(context, query),
  ),
  route(
    'acks:read',
    {
      ...{ method: 'GET', path: '/api/v1/effective', query: effectQuery, answer: effectAnswer },
      summary: 'Which gateways have acknowledged a statement or a revocation, and how fast.',
    },
    (context, { query }) => readEffect(context, query),
  ),
]
