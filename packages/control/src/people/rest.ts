import { actorOf } from '../context.ts'
import { done } from '../enrolment/schema.ts'
import { route } from '../http/operation.ts'
import { kidParams, loginAnswer, loginInput, sessionList, whoami } from './schema.ts'
import { endSession, listSessions, login, whoAmI } from './service.ts'

const path = '/api/v1/sessions'
export const peopleRoutes = [
  route(
    'login:create',
    {
      method: 'POST',
      path,
      summary: 'Sign in: a signed login names the session key that signs requests for 12 h.',
      body: loginInput,
      answer: loginAnswer,
    },
    (context, { body }) => login(context, body),
  ),
  route('session:own', { method: 'GET', path, summary: 'Who am I, and until when.', answer: whoami }, (context) => whoAmI(context)),
  route('session:own', { method: 'DELETE', path, summary: 'Sign out.', answer: done }, (context) =>
    endSession(context, actorOf(context).kid),
  ),
  route('sessions:read', { method: 'GET', path: '/api/v1/sessions/all', summary: 'Open sessions.', answer: sessionList }, (context) =>
    listSessions(context),
  ),
  route(
    'sessions:read',
    { method: 'DELETE', path: '/api/v1/sessions/{kid}', summary: 'End a session.', params: kidParams, answer: done },
    (context, { params }) => endSession(context, params.kid),
  ),
]
