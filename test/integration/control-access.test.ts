import type { Principal, Role } from '@postern/control'
import { appRouter, createCaller, operations, ROLES } from '@postern/control'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isPermitted, PERMISSION_NAMES } from '../../packages/control/src/access.ts'
import type { Everybody, Signer, TestControl } from '../fixtures/control.ts'
import { enrolEverybody, openTestControl, routes } from '../fixtures/control.ts'
import { pglite } from './database/databases.ts'

const ALL = 'anyone code-holder agent gateway person admin'
const PEOPLE = 'person admin'
const SIGNED = 'agent gateway person admin'

/** Who may use which route. Written by hand, apart from the table in access.ts: a new route fails here until somebody decides. */
const ROUTES: Record<string, string> = {
  'GET /api/health': ALL,
  'GET /api/v1/openapi.json': ALL,
  'POST /api/v1/log': ALL,
  'GET /api/v1/log': 'code-holder agent gateway person admin',
  'GET /api/v1/policies': 'gateway person admin',
  'GET /api/v1/policies/{sha256}': 'gateway person admin',
  'PUT /api/v1/policies/{sha256}': 'admin',
  'GET /api/v1/stream': SIGNED,
  'GET /api/v1/codes': PEOPLE,
  'POST /api/v1/codes': PEOPLE,
  'DELETE /api/v1/codes/{id}': PEOPLE,
  'POST /api/v1/enrolments': 'code-holder',
  'GET /api/v1/enrolments': PEOPLE,
  'GET /api/v1/enrolments/{id}': ALL,
  'POST /api/v1/enrolments/{id}/refuse': PEOPLE,
  'POST /api/v1/registrations': ALL,
  'GET /api/v1/requests': PEOPLE,
  'POST /api/v1/requests': 'admin',
  'POST /api/v1/drafts': PEOPLE,
  'GET /api/v1/requests/{id}': ALL,
  'POST /api/v1/requests/{id}/signatures': ALL,
  'POST /api/v1/requests/{id}/refuse': ALL,
  'POST /api/v1/approvals': 'gateway',
  'GET /api/v1/approvals': PEOPLE,
  'GET /api/v1/approvals/{id}': ALL,
  'POST /api/v1/approvals/{id}/decisions': ALL,
  'POST /api/v1/approvals/stages': 'gateway',
  'POST /api/v1/approvals/held': 'gateway',
  'POST /api/v1/grants': 'agent',
  'GET /api/v1/grants': PEOPLE,
  'POST /api/v1/grants/{id}/answer': 'gateway',
  'POST /api/v1/grants/answers': 'gateway',
  'POST /api/v1/receipts': 'gateway',
  'GET /api/v1/receipts': PEOPLE,
  'POST /api/v1/revocations': ALL,
  'GET /api/v1/revocations': SIGNED,
  'POST /api/v1/acks': 'gateway',
  'GET /api/v1/acks': SIGNED,
  'GET /api/v1/effective': SIGNED,
  'POST /api/v1/presence': 'agent gateway',
  'GET /api/v1/fleet': PEOPLE,
  'GET /api/v1/fleet/{atsign}/tools': PEOPLE,
  'GET /api/v1/labels': PEOPLE,
  'POST /api/v1/labels': 'admin',
  'POST /api/v1/labels/undo': 'admin',
  'POST /api/v1/relay/admitted': ALL,
  'POST /api/v1/sessions': ALL,
  'GET /api/v1/sessions': PEOPLE,
  'DELETE /api/v1/sessions': PEOPLE,
  'GET /api/v1/sessions/all': PEOPLE,
  'DELETE /api/v1/sessions/{kid}': PEOPLE,
}

/** The same for the console's procedures. */
const PROCEDURES: Record<string, string> = {
  'approvals.list': PEOPLE,
  'approvals.get': PEOPLE,
  'acks.effective': SIGNED,
  'acks.list': SIGNED,
  'authority.append': ALL,
  'authority.organisation': PEOPLE,
  'authority.read': 'code-holder agent gateway person admin',
  'calls.list': PEOPLE,
  'calls.search': PEOPLE,
  'calls.stats': PEOPLE,
  'calls.get': PEOPLE,
  'calls.facets': PEOPLE,
  'enrolment.list': PEOPLE,
  'enrolment.refuse': PEOPLE,
  'enrolment.codes': PEOPLE,
  'enrolment.createCode': PEOPLE,
  'enrolment.createJoin': PEOPLE,
  'enrolment.get': PEOPLE,
  'enrolment.handshake': PEOPLE,
  'enrolment.invites': PEOPLE,
  'enrolment.voidCode': PEOPLE,
  'fleet.list': PEOPLE,
  'fleet.search': PEOPLE,
  'fleet.facets': PEOPLE,
  'fleet.activity': PEOPLE,
  'fleet.entity': PEOPLE,
  'fleet.pins': PEOPLE,
  'fleet.definitions': PEOPLE,
  'fleet.blast': PEOPLE,
  'fleet.labels': PEOPLE,
  'fleet.draftStop': PEOPLE,
  'fleet.draftRelease': PEOPLE,
  'fleet.draftPin': PEOPLE,
  'fleet.relabel': 'admin',
  'fleet.undoLabels': 'admin',
  'fleet.tools': PEOPLE,
  'grants.list': PEOPLE,
  'grants.draftStop': PEOPLE,
  'grants.out': PEOPLE,
  'people.list': PEOPLE,
  'people.get': PEOPLE,
  'people.endOtherSessions': PEOPLE,
  'people.whoami': PEOPLE,
  'people.sessions': PEOPLE,
  'people.endSession': PEOPLE,
  'policies.list': 'gateway person admin',
  'policies.document': 'gateway person admin',
  'policies.versions': 'gateway person admin',
  'policies.version': 'gateway person admin',
  'policies.rollout': SIGNED,
  'policies.facts': PEOPLE,
  'policies.drafts': PEOPLE,
  'policies.draft': PEOPLE,
  'policies.openDraft': 'admin',
  'policies.saveDraft': 'admin',
  'policies.touchDraft': 'admin',
  'policies.discardDraft': 'admin',
  'policies.signDraft': 'admin',
  'requests.list': PEOPLE,
  'requests.get': PEOPLE,
  'requests.create': 'admin',
  'requests.draft': PEOPLE,
  'requests.draftRevocation': PEOPLE,
  'requests.draftInvite': PEOPLE,
  'requests.draftEnrolment': PEOPLE,
  'requests.redraft': PEOPLE,
  'requests.refuse': ALL,
  'revocations.get': SIGNED,
  'revocations.list': SIGNED,
  'revocations.add': ALL,
  'status.health': ALL,
  'status.overview': ALL,
  'approvals.open': PEOPLE,
  'status.waiting': PEOPLE,
  'status.search': PEOPLE,
  'stream.events': SIGNED,
}

let t: TestControl
let all: Everybody
beforeAll(async () => {
  t = await openTestControl(pglite)
  all = await enrolEverybody(t)
})
afterAll(() => t[Symbol.asyncDispose]())

test('every route file serves exactly the operations of its path, and there is no operation without a file', async () => {
  const served = await Promise.all(
    routes.map(async ({ file, path }) => {
      const { OPTIONS, ...exported } = await import(file)
      expect(OPTIONS, path).toBeTypeOf('function')
      return Object.keys(exported).map((method) => `${method} ${path}`)
    }),
  )
  expect(served.flat().sort()).toEqual(operations.map(({ method, path }) => `${method} ${path}`).sort())
  for (const { file } of routes) for (const handler of Object.values(await import(file))) expect(handler).toBeTypeOf('function')
})

test('the OpenAPI document describes every route, with the schemas that check it', async () => {
  const { json } = await t.call('GET', '/api/v1/openapi.json')
  const described = Object.entries<object>(json.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(described.sort()).toEqual(Object.keys(ROUTES).sort())
  expect(json.openapi).toMatch(/^3\.1/)
  const ask = json.paths['/api/v1/grants'].post.requestBody.content['application/json'].schema
  expect(ask).toMatchObject({ type: 'object', required: ['gateway', 'ask'], additionalProperties: false })
  expect(json.paths['/api/v1/log'].get.parameters.map((p: { name: string }) => p.name)).toContain('from')
})

test('every route and procedure is in the tables above, and nothing else', () => {
  expect(operations.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(Object.keys(ROUTES).sort())
  expect(Object.keys(appRouter._def.procedures).sort()).toEqual(Object.keys(PROCEDURES).sort())
})

describe.each(Object.keys(ROUTES))('%s', (route) => {
  test.each(ROLES)('as %s', async (role) => {
    const [method = '', template = ''] = route.split(' ')
    const path = template.replace('{atsign}', '@gw').replace(/\{\w+\}/, 'A'.repeat(43))
    const { call, stop } = await callAs(role, route)
    const answer = await t.call(method, `${path}${call.query}`, call)
    stop()
    const isRefused = answer.status === 401 || answer.status === 403
    const code = answer.json?.error?.code
    const byPermission = isRefused && ['UNAUTHENTICATED', 'NOT_PERMITTED', 'BAD_CODE'].includes(code)
    expect(byPermission, `${answer.status} ${code}`).toBe(!ROUTES[route]!.split(' ').includes(role))
  })
})

/** A request of this role, with a body that no schema accepts: permission comes before it. */
async function callAs(role: Role, route: string) {
  const signers: Partial<Record<Role, Signer>> = { agent: all.agent, gateway: all.gateway, person: all.person, admin: all.admin }
  const abort = new AbortController()
  const code =
    role === 'code-holder' ? (await t.call('POST', '/api/v1/codes', { by: all.admin, body: { kind: 'agent' } })).json.code : undefined
  const wantsCodeInBody = route === 'POST /api/v1/enrolments'
  const isBytes = route.startsWith('PUT')
  const hasBody = !route.startsWith('GET') && !route.startsWith('DELETE')
  const body = wantsCodeInBody ? { code: code ?? 'none', request: '', proofs: [] } : { unknown: 1 }
  // signing out would end the session that other rows of the table use
  const by =
    route === 'DELETE /api/v1/sessions' && (role === 'person' || role === 'admin')
      ? await t.login(role === 'admin' ? '@ana' : '@ben')
      : signers[role]
  const call = {
    ...(by ? { by } : {}),
    ...(hasBody ? (isBytes ? { bytes: new Uint8Array(1) } : { body }) : {}),
    ...(code && !wantsCodeInBody ? { headers: { 'postern-code': code } } : {}),
    signal: abort.signal,
    query: '',
  }
  return { call, stop: () => abort.abort() }
}

describe.each(Object.keys(PROCEDURES))('procedure %s', (name) => {
  test.each(ROLES)('as %s', async (role) => {
    const org = all.branch.org
    const actor = { agent: '@bot', gateway: '@gw', person: '@ben', admin: '@ana' }[role as string]
    const principal = (actor ? { role, org, atsign: actor, kid: 'x' } : role === 'code-holder' ? { role, org } : { role }) as Principal
    const caller = createCaller({ control: t.control, principal, requestId: 'test' })
    const [noun = '', verb = ''] = name.split('.')
    const procedure = (caller as unknown as Record<string, Record<string, (input: unknown) => Promise<unknown>>>)[noun]![verb]!
    const code = await procedure({ unknown: 1 }).then(
      () => 'ok',
      (error) => error.code,
    )
    expect(code === 'UNAUTHORIZED' || code === 'FORBIDDEN', code).toBe(!PROCEDURES[name]!.split(' ').includes(role))
  })
})

test('every permission is used by a route or procedure, and is somebody’s', () => {
  const procedures = Object.values(appRouter._def.procedures) as unknown as { _def: { meta: { permission: string } } }[]
  const used = [...operations.map(({ permission }) => permission), ...procedures.map(({ _def }) => _def.meta.permission)]
  expect([...new Set(used)].sort()).toEqual([...PERMISSION_NAMES].sort())
  for (const permission of PERMISSION_NAMES) expect(ROLES.some((role) => isPermitted(role, permission))).toBe(true)
})
