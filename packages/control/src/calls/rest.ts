import { route } from '../http/operation.ts'
import { ingestAnswer, ingestInput, listAnswer, listQuery } from './schema.ts'
import { listReceipts, storeReceipts } from './service.ts'

const path = '/api/v1/receipts'
export const callsRoutes = [
  route(
    'receipts:write',
    { method: 'POST', path, summary: 'A gateway hands in receipts.', body: ingestInput, answer: ingestAnswer, maxBytes: 8 * 1024 * 1024 },
    (context, { body }) => storeReceipts(context, body.receipts),
  ),
  route(
    'receipts:read',
    {
      method: 'GET',
      path,
      summary: 'Receipts of calls that began within a range of dates, newest first.',
      query: listQuery,
      answer: listAnswer,
    },
    (context, { query }) => listReceipts(context, query),
  ),
]
