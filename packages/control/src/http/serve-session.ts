import { parseStrictJson } from '@postern/core'
import { requireOwnPage } from '../auth/browser-session.ts'
import type { Control } from '../context.ts'
import { ControlError, refusalOf } from '../errors.ts'
import { loginInput } from '../people/schema.ts'
import { finishSignIn, signOut } from '../people/sign-in.ts'
import { readBody } from './body.ts'
import { parseWith } from './input.ts'
import { logRefusal, newRequestId, refusalResponse, withHeaders } from './serve.ts'

const LIMITS = { maxBytes: 65_536, maxDepth: 16 }

/**
 * The console's own door for cookies: POST `{login}` signs this browser in, DELETE signs it out. No part of the API: only a page of this
 * console may, and no other origin can read an answer.
 */
export async function serveSession(open: () => Promise<Control>, request: Request): Promise<Response> {
  const requestId = newRequestId()
  let control: Control | undefined
  try {
    control = await open()
    requireOwnPage(control, request)
    const body = await readBody(request, LIMITS.maxBytes)
    const { answer, cookies } = request.method === 'DELETE' ? await leave(control, request) : await enter(control, request, body)
    const response = withHeaders(Response.json(answer), requestId)
    for (const cookie of cookies) response.headers.append('set-cookie', cookie)
    return response
  } catch (error) {
    const refusal = refusalOf(error)
    logRefusal(refusal, error, requestId, control, `${request.method} /api/session`)
    return refusalResponse(refusal, requestId)
  }
}

async function enter(control: Control, { headers }: Request, body: Uint8Array) {
  if (headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() !== 'application/json')
    throw new ControlError('BAD_CONTENT_TYPE', 'send the body as application/json')
  const input = parseWith(loginInput, parseStrictJson(body, LIMITS), '')
  const { atsign, cookies } = await finishSignIn(control, headers, headers.get('origin')!, input)
  return { answer: { atsign }, cookies }
}

async function leave(control: Control, { headers }: Request) {
  return { answer: { ok: true }, cookies: await signOut(control, headers) }
}
