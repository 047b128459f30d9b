// What an ask asks for and a grant grants: exact tools, and conditions on their arguments. packages/core/spec/grant.md §1
import type { Shape } from '../bytes/shape.ts'
import { digest, list, object, oneOf, refuse, text } from '../bytes/shape.ts'
import type { ArgCondition } from '../policy/attenuation.ts'
import { argConditions } from '../policy/attenuation.ts'

export type AskDetail = {
  readonly type: 'mcp_tool'
  readonly server: string
  readonly tool: string
  readonly args: readonly ArgCondition[]
  /** Present = arguments that no condition names may be anything. */
  readonly unnamed?: 'allow'
}

/** `schema` is the digest of the pinned tool definition. */
export type GrantDetail = AskDetail & { readonly schema: string }

const required = {
  type: oneOf('mcp_tool'),
  server: text(64, 1),
  tool: text(128, 1),
  args: argConditions,
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
