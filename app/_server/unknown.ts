import 'server-only'
import { newRequestId, refusalResponse } from '@postern/control'

/** There is no such route: in the form of every other refusal, instead of a page. */
export const unknown = (): Response =>
  refusalResponse(
    { status: 404, code: 'NOT_FOUND', message: 'no such route; /api/v1/openapi.json lists them', details: {} },
    newRequestId(),
  )
