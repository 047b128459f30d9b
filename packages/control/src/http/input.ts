import { parseStrictJson, VerifyError } from '@postern/core'
import type { z } from 'zod'
import { ControlError } from '../errors.ts'
import type { Input, Operation } from './operation.ts'

/**
 * Reads what a route's schemas ask for; everything is refused that they do not name.
 * @throws {VerifyError} UNKNOWN_FIELD, MALFORMED and what `parseStrictJson` finds
 */
export function readInput(operation: Operation, request: Request, params: Record<string, string>, body: Uint8Array<ArrayBuffer>) {
  const url = new URL(request.url)
  return {
    params: operation.params && parseWith(operation.params, params, 'path'),
    query: parseQuery(operation, url.searchParams),
    body: parseBody(operation, request.headers.get('content-type'), body),
    signal: request.signal,
    headers: request.headers,
  } as Input<z.ZodType, z.ZodType, z.ZodType>
}

function parseQuery({ query }: Operation, given: URLSearchParams): unknown {
  const names = [...given.keys()]
  if (new Set(names).size < names.length) throw new VerifyError('DUPLICATE_NAME', 'query: a parameter stands twice')
  if (query) return parseWith(query, Object.fromEntries(given), 'query')
  if (names.length > 0) throw new VerifyError('UNKNOWN_FIELD', `query: unknown parameter ${names[0]}`)
}

function parseBody(
  { body: schema, maxBytes = 65_536, maxDepth = 16 }: Operation,
  type: string | null,
  bytes: Uint8Array<ArrayBuffer>,
): unknown {
  if (schema === undefined) {
    if (bytes.length > 0) throw new VerifyError('UNKNOWN_FIELD', 'this takes no body')
    return undefined
  }
  const wanted = schema === 'bytes' ? 'application/octet-stream' : 'application/json'
  if (type?.split(';')[0]?.trim().toLowerCase() !== wanted) throw new ControlError('BAD_CONTENT_TYPE', `send the body as ${wanted}`)
  return schema === 'bytes' ? bytes : parseWith(schema, parseStrictJson(bytes, { maxBytes, maxDepth }), '')
}

/** zod's first complaint as a code of ours, with the path but without the value. */
export function parseWith<S extends z.ZodType>(schema: S, value: unknown, where: string): z.output<S> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const path = [where, ...(issue?.path ?? [])].filter((part) => part !== '').join('.')
  const at = path ? `${path}: ` : ''
  if (issue?.code === 'unrecognized_keys') throw new VerifyError('UNKNOWN_FIELD', `${at}unknown field ${issue.keys[0]}`)
  throw new VerifyError('MALFORMED', `${at}${issue?.message ?? 'not acceptable'}`)
}
