import { z } from 'zod'
import { route } from '../http/operation.ts'
import { readHealth, VERSION } from './service.ts'

const health = z.strictObject({
  status: z.enum(['ok', 'degraded', 'unavailable']),
  version: z.string(),
  database: z.enum(['pglite', 'postgres', 'down']),
  uptime_seconds: z.int().optional(),
  organisation: z.strictObject({ name: z.string(), founded_at: z.int() }).optional(),
  code: z.string().optional(),
  message: z.string().optional(),
})

export const statusRoutes = [
  route(
    'health:read',
    {
      ...{ method: 'GET', path: '/api/health', summary: '200 when requests can be served, 503 with a code when not.', answer: health },
      unavailable: ({ code, message }) => ({ status: 'unavailable', version: VERSION, database: 'down', code, message }),
    },
    (context) => readHealth(context.control),
  ),
]
