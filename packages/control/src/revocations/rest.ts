import { signedJson } from '../fields.ts'
import { route } from '../http/operation.ts'
import { addAnswer, listAnswer, listQuery } from './schema.ts'
import { listRevocations, revoke } from './service.ts'

const path = '/api/v1/revocations'
export const revocationsRoutes = [
  route(
    'revocations:write',
    { method: 'POST', path, summary: 'Hand in a signed revocation; pushed to every edge at once.', body: signedJson, answer: addAnswer },
    (context, { body }) => revoke(context, body),
  ),
  route(
    'revocations:read',
    { method: 'GET', path, summary: 'All revocations, as they were signed.', query: listQuery, answer: listAnswer },
    (context, { query }) => listRevocations(context, query),
  ),
]
