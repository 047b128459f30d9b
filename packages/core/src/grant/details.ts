// What an ask asks for and a grant grants: exact tools, and conditions on their arguments. packages/core/spec/grant.md §1
import type { Shape } from '../bytes/shape.ts'
import { digest, integer, list, object, oneOf, refuse, text } from '../bytes/shape.ts'

export type Scalar = string | number | boolean | null
/** Exactly one of these. Its meaning is the policy's; here it is only read. */
export type GrantCondition =
  | { readonly eq: Scalar }
  | { readonly in: readonly Scalar[] }
  | { readonly min: number }
  | { readonly max: number }
  | { readonly max_length: number }
  | { readonly prefix: string }
  | { readonly host: string }
  | { readonly count: number }

/** `arg` is a top-level argument's name, or a JSON pointer when it begins with a slash. */
export type GrantArg = { readonly arg: string; readonly is: GrantCondition }

export type AskDetail = {
  readonly type: 'mcp_tool'
  readonly server: string
  readonly tool: string
  readonly args: readonly GrantArg[]
  /** Present = arguments that no condition names may be anything. */
  readonly unnamed?: 'allow'
}

/** `schema` is the digest of the pinned tool definition. */
export type GrantDetail = AskDetail & { readonly schema: string }

const scalar: Shape<Scalar> = (value, path) => {
  if (typeof value === 'object' && value !== null) return refuse(path, 'expected text, a number, true, false or null')
  return value
}
const whole = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
const size = integer(0, Number.MAX_SAFE_INTEGER)

/** Member of `is` → the object with that one member. */
const conditions = {
  eq: object({ eq: scalar }),
  in: object({ in: list(scalar, 64, 1) }),
  min: object({ min: whole }),
  max: object({ max: whole }),
  max_length: object({ max_length: size }),
  prefix: object({ prefix: text(1024, 1) }),
  host: object({ host: text(253, 1) }),
  count: object({ count: size }),
} satisfies Record<string, Shape<GrantCondition>>

const conditionShape: Shape<GrantCondition> = (value, path) => {
  const [name = '', ...more] = typeof value === 'object' && value !== null ? Object.keys(value) : []
  if (more.length > 0 || !Object.hasOwn(conditions, name)) return refuse(path, `expected one of ${Object.keys(conditions).join(', ')}`)
  return conditions[name as keyof typeof conditions](value, path)
}

const required = {
  type: oneOf('mcp_tool'),
  server: text(64, 1),
  tool: text(128, 1),
  args: list(object({ arg: text(256, 1), is: conditionShape }), 32),
}
const optional = { unnamed: oneOf('allow') }

const MAX_DETAILS = 64
export const askDetailsShape: Shape<readonly AskDetail[]> = distinct(list(object(required, optional), MAX_DETAILS, 1))
export const grantDetailsShape: Shape<readonly GrantDetail[]> = distinct(
  list(object({ ...required, schema: digest }, optional), MAX_DETAILS, 1),
)

/** One tool stands once, so that nobody has to say which of two entries counts. */
function distinct<T extends AskDetail>(shape: Shape<readonly T[]>): Shape<readonly T[]> {
  return (value, path) => {
    const details = shape(value, path)
    const names = new Set(details.map(({ server, tool }) => `${server}\n${tool}`))
    if (names.size !== details.length) return refuse(path, 'names a tool twice')
    return details
  }
}
