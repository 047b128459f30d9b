import { ControlError } from './errors.ts'

/**
 * Who asks. `anyone` proved nothing; a `code-holder` knows a live enrolment code or a pending enrolment's id; the others signed
 * the request with an enrolled key. An `admin` is a person whom the log names as administrator.
 */
export const ROLES = ['anyone', 'code-holder', 'agent', 'gateway', 'person', 'admin'] as const
export type Role = (typeof ROLES)[number]

const EVERYONE = ROLES
const PEOPLE = ['person', 'admin'] as const
const EDGES = ['agent', 'gateway'] as const

/**
 * What may be done, and by which role. A procedure or route can be made only with one of these names. Being permitted is
 * never authority: every act of authority carries its own signature, which edges check again.
 */
const PERMISSIONS = {
  'health:read': EVERYONE,
  'api:describe': EVERYONE,
  'relay:ask': EVERYONE, // an unguessable key id in, "enrolled" out
  'login:create': EVERYONE, // the login object is its own proof
  'log:append': EVERYONE, // the signatures on the statement decide; genesis wants the secret as well
  'log:read': ['code-holder', ...EDGES, ...PEOPLE],
  'enrolments:submit': ['code-holder'],
  'enrolments:follow': EVERYONE, // by unguessable id
  'registrations:check': EVERYONE, // a second opinion about a new passkey: nothing is kept
  'enrolments:read': PEOPLE, // people who are not admins: their own agents'
  'enrolments:refuse': PEOPLE,
  'codes:manage': PEOPLE, // people who are not admins: for agents, within their delegation
  'requests:read': PEOPLE, // people who are not admins: what they drafted
  'requests:follow': EVERYONE, // by unguessable id: a signer has no session
  'requests:sign': EVERYONE, // by unguessable id: signatures are their own proof
  'requests:refuse': EVERYONE, // by unguessable id: whoever was asked may say no
  'requests:draft': PEOPLE, // people who are not admins: their agents, within their delegation
  'requests:write': ['admin'],
  'policies:read': ['gateway', ...PEOPLE],
  'policies:write': ['admin'], // bytes without a signature: policy.set in the log says which ones count
  'drafts:read': PEOPLE,
  'drafts:write': ['admin'], // what is written is no authority; signing it is
  'stream:read': [...EDGES, ...PEOPLE],
  'session:own': PEOPLE,
  'sessions:read': PEOPLE,
  'people:read': PEOPLE,
  'approvals:hold': ['gateway'],
  'approvals:read': PEOPLE, // people who are not admins: those they may decide, and their own agents'
  'approvals:follow': EVERYONE, // by unguessable id: a signer has no session
  'approvals:decide': EVERYONE, // the signature decides; the gateway verifies it
  'grants:request': ['agent'],
  'grants:answer': ['gateway'],
  'grants:read': PEOPLE,
  'receipts:write': ['gateway'],
  'receipts:read': PEOPLE,
  'revocations:write': EVERYONE, // the signature decides; from any carrier
  'revocations:read': [...EDGES, ...PEOPLE],
  'acks:write': ['gateway'],
  'acks:read': [...EDGES, ...PEOPLE], // edges: to take up what others took up in time
  'presence:report': EDGES,
  'fleet:read': PEOPLE,
  'labels:write': ['admin'], // notes of this console, which no policy sees
} as const satisfies Record<string, readonly Role[]>

export type Permission = keyof typeof PERMISSIONS
export const PERMISSION_NAMES = Object.keys(PERMISSIONS) as readonly Permission[]

export const isPermitted = (role: Role, permission: Permission): boolean => (PERMISSIONS[permission] as readonly Role[]).includes(role)

/** @throws {ControlError} UNAUTHENTICATED for those who could sign in, NOT_PERMITTED for those who did */
export function requirePermission(role: Role, permission: Permission): void {
  if (isPermitted(role, permission)) return
  if (role === 'anyone' || role === 'code-holder') {
    throw new ControlError('UNAUTHENTICATED', 'this needs a request signed by an enrolled key', { fix: 'postern login' })
  }
  throw new ControlError('NOT_PERMITTED', `not permitted for the role ${role}: ${permission}`)
}
