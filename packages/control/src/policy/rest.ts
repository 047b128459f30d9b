import { z } from 'zod'
import { MAX_POLICY_BYTES } from '../authority/schema.ts'
import { atsign, digest, unixSeconds } from '../fields.ts'
import { route } from '../http/operation.ts'
import { getPolicy, listPolicies, putPolicy } from './service.ts'

const params = z.strictObject({ sha256: digest })
const path = '/api/v1/policies/{sha256}'
const list = z.strictObject({
  policies: z.array(z.strictObject({ sha256: digest, name: z.string(), uploaded_by: atsign.optional(), uploaded_at: unixSeconds })),
})

export const policyRoutes = [
  route(
    'policies:write',
    {
      ...{ method: 'PUT', path, summary: 'Hand in the bytes of a policy that policy.set will name.', params },
      ...{ body: 'bytes', answer: z.strictObject({ sha256: digest }), maxBytes: MAX_POLICY_BYTES },
    },
    (context, { params: { sha256 }, body }) => putPolicy(context, sha256, body),
  ),
  route(
    'policies:read',
    { method: 'GET', path, summary: 'The exact bytes of a policy.', params, answerType: 'application/octet-stream' },
    async (context, { params: { sha256 } }) => {
      const headers = { 'content-type': 'application/octet-stream', 'content-disposition': 'attachment' }
      return new Response(await getPolicy(context, sha256), { headers })
    },
  ),
  route(
    'policies:read',
    { method: 'GET', path: '/api/v1/policies', summary: 'Policies that were handed in.', answer: list },
    async (context) => ({
      policies: await listPolicies(context),
    }),
  ),
]
