import { acksRoutes } from './acks/rest.ts'
import { approvalsRoutes } from './approvals/rest.ts'
import { authorityRoutes } from './authority/rest.ts'
import { callsRoutes } from './calls/rest.ts'
import { enrolmentRoutes } from './enrolment/rest.ts'
import { fleetRoutes } from './fleet/rest.ts'
import { grantsRoutes } from './grants/rest.ts'
import { openApiOf } from './http/openapi.ts'
import type { Operation } from './http/operation.ts'
import { route } from './http/operation.ts'
import { peopleRoutes } from './people/rest.ts'
import { policyRoutes } from './policy/rest.ts'
import { registrationsRoutes } from './registrations/rest.ts'
import { requestsRoutes } from './requests/rest.ts'
import { revocationsRoutes } from './revocations/rest.ts'
import { statusRoutes } from './status/rest.ts'
import { streamRoutes } from './stream/rest.ts'

const describeRoute = route(
  'api:describe',
  { method: 'GET', path: '/api/v1/openapi.json', summary: 'This document.', answerType: 'application/json' },
  async ({ control }) => Response.json(openApiOf(operations, control.config.publicUrl)),
)

/** Every REST route. `app/api/…/route.ts` serves them by path; a test compares the two and the OpenAPI document. */
export const operations: readonly Operation[] = [
  ...authorityRoutes,
  ...policyRoutes,
  ...streamRoutes,
  ...enrolmentRoutes,
  ...registrationsRoutes,
  ...requestsRoutes,
  ...grantsRoutes,
  ...approvalsRoutes,
  ...callsRoutes,
  ...revocationsRoutes,
  ...acksRoutes,
  ...fleetRoutes,
  ...peopleRoutes,
  ...statusRoutes,
  describeRoute,
]
