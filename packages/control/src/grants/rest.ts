import { done, idParams } from '../enrolment/schema.ts'
import { route } from '../http/operation.ts'
import { answerInput, answersAnswer, answersInput, askAnswer, askInput, listAnswer, listQuery } from './schema.ts'
import { answerGrant, answerGrants, listGrants, requestGrant } from './service.ts'

const path = '/api/v1/grants'
export const grantsRoutes = [
  route(
    'grants:request',
    { method: 'POST', path, summary: 'Carry a sealed ask to a gateway; answers within 10 s, or 504.', body: askInput, answer: askAnswer },
    (context, { body, signal }) => requestGrant(context, body, signal),
  ),
  route(
    'grants:read',
    { method: 'GET', path, summary: 'Who asked which gateway, when; never what.', query: listQuery, answer: listAnswer },
    (context, { query }) => listGrants(context, query),
  ),
  route(
    'grants:answer',
    {
      ...{ method: 'POST', path: '/api/v1/grants/{id}/answer', summary: 'The gateway answers one ask.' },
      ...{ params: idParams, body: answerInput, answer: done },
    },
    (context, { params, body }) => answerGrant(context, params.id, body.answer),
  ),
  route(
    'grants:answer',
    {
      ...{ method: 'POST', path: '/api/v1/grants/answers', summary: 'The gateway answers several asks at once.' },
      ...{ body: answersInput, answer: answersAnswer, maxBytes: 2 * 1024 * 1024 },
    },
    (context, { body }) => answerGrants(context, body),
  ),
]
