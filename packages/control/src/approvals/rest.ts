import { done, idParams } from '../enrolment/schema.ts'
import { route } from '../http/operation.ts'
import {
  approvalList,
  decisionAnswer,
  decisionInput,
  followAnswer,
  followQuery,
  heldAnswer,
  heldInput,
  holdInput,
  listQuery,
  MAX_HOLD_BODY_BYTES,
  stagesAnswer,
  stagesInput,
} from './schema.ts'
import { decide, followApproval, holdCall, listApprovals, reconcile, takeStages } from './service.ts'

const path = '/api/v1/approvals'
export const approvalsRoutes = [
  route(
    'approvals:hold',
    {
      ...{ method: 'POST', path, summary: 'A gateway holds a call: what approvers are to see, sealed to them.' },
      ...{ body: holdInput, answer: done, maxBytes: MAX_HOLD_BODY_BYTES },
    },
    (context, { body }) => holdCall(context, body),
  ),
  route(
    'approvals:read',
    { method: 'GET', path, summary: 'Held calls: who, which tool, until when. Never arguments.', query: listQuery, answer: approvalList },
    (context, { query }) => listApprovals(context, query),
  ),
  route(
    'approvals:follow',
    {
      ...{ method: 'GET', path: '/api/v1/approvals/{id}', summary: 'One held call with what is sealed; its unguessable id is the key.' },
      ...{ params: idParams, query: followQuery, answer: followAnswer },
    },
    (context, { params, query, signal }) => followApproval(context, params.id, { waitSeconds: query.wait ?? 0, seen: query.seen }, signal),
  ),
  route(
    'approvals:decide',
    {
      ...{ method: 'POST', path: '/api/v1/approvals/{id}/decisions', summary: 'Hand in a signed decision; the gateway verifies it.' },
      ...{ params: idParams, body: decisionInput, answer: decisionAnswer },
    },
    (context, { params, body }) => decide(context, params.id, body),
  ),
  route(
    'approvals:hold',
    {
      ...{ method: 'POST', path: '/api/v1/approvals/stages', summary: 'The gateway says what became of calls it holds.' },
      ...{ body: stagesInput, answer: stagesAnswer },
    },
    (context, { body }) => takeStages(context, body),
  ),
  route(
    'approvals:hold',
    {
      ...{ method: 'POST', path: '/api/v1/approvals/held', summary: 'What the gateway holds now; it hears decisions it missed.' },
      ...{ body: heldInput, answer: heldAnswer },
    },
    (context, { body }) => reconcile(context, body),
  ),
]
