import { z } from 'zod'
import { isPermitted, ROLES } from '../access.ts'
import { VERSION } from '../status/service.ts'
import type { Operation } from './operation.ts'

type Json = Record<string, unknown>
const REFUSALS = {
  400: 'malformed',
  401: 'not authenticated',
  403: 'not permitted',
  409: 'conflict',
  429: 'too many',
  503: 'database unavailable',
}

/** The OpenAPI 3.1 document: written by nobody, made of the schemas that check the requests. */
export function openApiOf(operations: readonly Operation[], servers: readonly string[]): Json {
  const paths: Record<string, Json> = {}
  for (const operation of operations) {
    paths[operation.path] = { ...paths[operation.path], [operation.method.toLowerCase()]: describe(operation) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Postern control plane',
      version: VERSION,
      description:
        'It carries what others signed and is trusted for nothing: verify what you read. Requests are signed under RFC 9421 (packages/core/spec/request.md); there are no bearer tokens. Times are Unix seconds, bytes base64url without padding.',
    },
    servers: servers.map((url) => ({ url })),
    paths,
    components: {
      schemas: { Error: schemaOf(error, 'output') },
      securitySchemes: {
        requestSignature: {
          type: 'apiKey',
          in: 'header',
          name: 'signature',
          description: 'RFC 9421, with signature-input and content-digest',
        },
        enrolmentCode: { type: 'apiKey', in: 'header', name: 'postern-code', description: 'a live enrolment code' },
      },
    },
  }
}

const error = z.object({
  error: z.looseObject({ code: z.string(), message: z.string(), fix: z.string().optional(), request_id: z.string() }),
})

function describe(operation: Operation): Json {
  const { permission, summary, body, maxBytes = 65_536 } = operation
  const roles = ROLES.filter((role) => isPermitted(role, permission))
  const content =
    body === 'bytes' ? { 'application/octet-stream': {} } : body && { 'application/json': { schema: schemaOf(body, 'input') } }
  return {
    summary,
    description: `For: ${roles.join(', ')}. Permission: \`${permission}\`.`,
    security: [
      ...(roles.includes('anyone') ? [{}] : []),
      { requestSignature: [] },
      ...(roles.includes('code-holder') ? [{ enrolmentCode: [] }] : []),
    ],
    ...parametersOf(operation),
    ...(content ? { requestBody: { required: true, description: `at most ${maxBytes} bytes`, content } } : {}),
    responses: { 200: answerOf(operation), ...refusals },
  }
}

const refusals = Object.fromEntries(
  Object.entries(REFUSALS).map(([status, description]) => [
    status,
    { description, content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } } },
  ]),
)

function answerOf({ answer, answerType = 'application/json' }: Operation): Json {
  return { description: 'done', content: { [answerType]: answer ? { schema: schemaOf(answer, 'output') } : {} } }
}

function parametersOf({ params, query }: Operation): Json {
  const parameters = [...listOf(params, 'path'), ...listOf(query, 'query')]
  return parameters.length > 0 ? { parameters } : {}
}

function listOf(schema: z.ZodType | undefined, where: 'path' | 'query'): Json[] {
  if (!schema) return []
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as { properties?: Json; required?: string[] }
  return Object.entries(properties).map(([name, property]) => ({ name, in: where, required: required.includes(name), schema: property }))
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io }) as Json
  return rest
}
