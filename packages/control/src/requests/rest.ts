import { decodeBase64url } from '@postern/core'
import { done, idParams, refuseInput } from '../enrolment/schema.ts'
import { route } from '../http/operation.ts'
import { draftBytes } from './draft.ts'
import { draftAnswer, draftBytesInput, newRequestInput, request, requestAnswer, requestList, signInput } from './schema.ts'
import { addSignatures, createRequest, getRequest, listRequests, refuseRequest } from './service.ts'

const path = '/api/v1/requests'
const one = { path: `${path}/{id}`, params: idParams } as const
export const requestsRoutes = [
  route(
    'requests:write',
    {
      method: 'POST',
      path,
      summary: 'Keep a statement that wants more signatures; appended when complete.',
      body: newRequestInput,
      answer: requestAnswer,
    },
    (context, { body }) => createRequest(context, body),
  ),
  route(
    'requests:draft',
    {
      ...{ method: 'POST', path: '/api/v1/drafts', summary: 'Keep what is to be signed, without a signature, for the signing page.' },
      ...{ body: draftBytesInput, answer: draftAnswer },
    },
    (context, { body }) => draftBytes(context, body.kind, decodeBase64url(body.bytes)),
  ),
  route('requests:read', { method: 'GET', path, summary: 'What wants or had signatures.', answer: requestList }, (context) =>
    listRequests(context),
  ),
  route(
    'requests:follow',
    { method: 'GET', ...one, summary: 'One of them, with the bytes to sign; its unguessable id is the key.', answer: request },
    (context, { params }) => getRequest(context, params.id),
  ),
  route(
    'requests:sign',
    {
      ...{
        method: 'POST',
        path: '/api/v1/requests/{id}/signatures',
        summary: 'Add signatures; its unguessable id is the key. Complete, it is appended, or a revocation taken up.',
      },
      ...{ params: idParams, body: signInput, answer: requestAnswer },
    },
    (context, { params, body }) => addSignatures(context, params.id, body),
  ),
  route(
    'requests:refuse',
    {
      ...{ method: 'POST', path: '/api/v1/requests/{id}/refuse', summary: 'Take what waits off the list; its unguessable id is the key.' },
      ...{ params: idParams, body: refuseInput, answer: done },
    },
    (context, { params, body }) => refuseRequest(context, params.id, body.reason),
  ),
]
