import { route } from '../http/operation.ts'
import { appendAnswer, appendInput, readAnswer, readQuery } from './schema.ts'
import { appendStatement, readLog } from './service.ts'

export const authorityRoutes = [
  route(
    'log:append',
    {
      method: 'POST',
      path: '/api/v1/log',
      summary: 'Append one signed statement. 409 CONFLICT carries the head when its place is taken.',
      body: appendInput,
      answer: appendAnswer,
      maxBytes: 512 * 1024,
    },
    (context, { body }) => appendStatement(context, body),
  ),
  route(
    'log:read',
    {
      method: 'GET',
      path: '/api/v1/log',
      summary: 'The authority log from any seq, as it was signed.',
      query: readQuery,
      answer: readAnswer,
    },
    (context, { query }) => readLog(context, query),
  ),
]
