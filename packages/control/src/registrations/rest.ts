import { route } from '../http/operation.ts'
import { registrationAnswer, registrationInput } from './schema.ts'
import { checkRegistration } from './service.ts'

export const registrationsRoutes = [
  route(
    'registrations:check',
    {
      ...{ method: 'POST', path: '/api/v1/registrations', body: registrationInput, answer: registrationAnswer },
      summary: 'Read a passkey that was just made: a second opinion for the signing page. Kept nowhere; gives no right.',
    },
    (context, { body }) => checkRegistration(context, body),
  ),
]
