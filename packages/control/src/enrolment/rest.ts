import { route } from '../http/operation.ts'
import { createCode, listCodes, voidCode } from './codes.ts'
import {
  codeList,
  done,
  followAnswer,
  followParams,
  followQuery,
  idParams,
  newCodeAnswer,
  newCodeInput,
  queueAnswer,
  refuseInput,
  submitAnswer,
  submitInput,
} from './schema.ts'
import { followEnrolment, listEnrolments, refuseEnrolment, submitEnrolment } from './service.ts'

export const enrolmentRoutes = [
  route(
    'codes:manage',
    {
      method: 'POST',
      path: '/api/v1/codes',
      summary: 'Make a one-time enrolment code, shown once.',
      body: newCodeInput,
      answer: newCodeAnswer,
    },
    (context, { body }) => createCode(context, body),
  ),
  route('codes:manage', { method: 'GET', path: '/api/v1/codes', summary: 'Codes that have not expired.', answer: codeList }, (context) =>
    listCodes(context),
  ),
  route(
    'codes:manage',
    { method: 'DELETE', path: '/api/v1/codes/{id}', summary: 'Void a code, by its id.', params: idParams, answer: done },
    (context, { params }) => voidCode(context, params.id),
  ),
  route(
    'enrolments:submit',
    {
      ...{ method: 'POST', path: '/api/v1/enrolments', summary: 'Queue a signed enrolment request; uses up the code.' },
      ...{ body: submitInput, answer: submitAnswer, codeIn: 'body' },
    },
    (context, { body }) => submitEnrolment(context, body),
  ),
  route(
    'enrolments:read',
    { method: 'GET', path: '/api/v1/enrolments', summary: 'Requests that wait for a signature.', answer: queueAnswer },
    (context) => listEnrolments(context),
  ),
  route(
    'enrolments:follow',
    {
      ...{ method: 'GET', path: '/api/v1/enrolments/{id}', summary: 'What became of a request; its unguessable id is the key.' },
      ...{ params: followParams, query: followQuery, answer: followAnswer },
    },
    (context, { params, query, signal }) => followEnrolment(context, params.id, query.wait ?? 0, signal),
  ),
  route(
    'enrolments:refuse',
    {
      ...{ method: 'POST', path: '/api/v1/enrolments/{id}/refuse', summary: 'Refuse a waiting request.' },
      ...{ params: idParams, body: refuseInput, answer: done },
    },
    (context, { params, body }) => refuseEnrolment(context, params.id, body.reason),
  ),
]
