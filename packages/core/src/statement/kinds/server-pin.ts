import type { JsonValue } from '../../bytes/json.ts'
import type { Shape } from '../../bytes/shape.ts'
import { digest, list, object, refuse } from '../../bytes/shape.ts'
import { VerifyError } from '../../errors.ts'
import type { AtSign } from '../../key/atsign.ts'
import { atSignShape } from '../../key/atsign.ts'
import { liveIdentity } from '../enrol.ts'
import type { Kind } from '../kind.ts'
import type { RiskClass } from '../names.ts'
import { riskClass, serverName, sortedSet, toolName } from '../names.ts'
import type { ServerPin, State, ToolPin } from '../state.ts'
import { listText, quoted } from '../wording.ts'

const MAX_CHANGES = 256
/** Of one server, over all its statements. */
const MAX_TOOLS = 1_024
const ALL = '*'

export type PinnedTool = { readonly name: string; readonly digest: string; readonly risk: RiskClass }
export type ServerPinBody = {
  readonly gateway: AtSign
  readonly server: string
  /** Pinned, or pinned anew. */
  readonly set: readonly PinnedTool[]
  /** No longer pinned, before `set` is applied; `["*"]` = all. */
  readonly unset: readonly string[]
}

const unsetName: Shape<string> = (value: JsonValue, path) => (value === ALL ? ALL : toolName(value, path))
const fields = object({
  gateway: atSignShape,
  server: serverName,
  set: list(object({ name: toolName, digest, risk: riskClass }), MAX_CHANGES),
  unset: sortedSet(unsetName, MAX_CHANGES),
})
const body: Shape<ServerPinBody> = (value, path) => {
  const pin = fields(value, path)
  const names = pin.set.map(({ name }) => name)
  sortedSet(toolName, MAX_CHANGES)(names, `${path}.set`)
  if (pin.unset.includes(ALL) && pin.unset.length > 1) refuse(`${path}.unset`, '* stands alone')
  if (pin.set.length + pin.unset.length === 0) refuse(path, 'changes nothing')
  return pin.unset.some((name) => names.includes(name)) ? refuse(path, 'a tool is set and unset') : pin
}

/**
 * Which gateway fronts a server, and which of its tools, exactly as they are defined now, people have looked at. Changes add up,
 * because 16 KiB do not hold every server's tools. A server whose last tool is unset is gone and its name is free.
 */
export const serverPin: Kind<ServerPinBody> = {
  title: 'Pin tools of a server',
  body,
  classOf: () => 'sensitive',
  describe({ gateway, server, set, unset }, _, state) {
    const before = state?.servers.get(server)
    return [
      `Tools of the server ${server} behind the gateway ${gateway} change.`,
      ...(state && !before ? [`${server} is a new server: calls to it will go to ${gateway}.`] : []),
      ...(unset.includes(ALL)
        ? [`All its tools pinned so far (${listText([...(before?.tools.keys() ?? [])].map(quoted), 'none known')}) are unpinned.`]
        : []),
      ...unset.filter((name) => name !== ALL).map((name) => `The tool ${quoted(name)} is unpinned: it can no longer be called.`),
      ...set.map((tool) => pinText(tool, before?.tools.get(tool.name))),
    ]
  },
  apply(state, { body }) {
    liveIdentity(state, body.gateway, 'gateway')
    const before = state.servers.get(body.server)
    if (before && before.gateway !== body.gateway) {
      throw new VerifyError('SERVER_TAKEN', `${body.server} belongs to ${before.gateway}: unpin its tools there first`)
    }
    return { state: withTools(state, body, changed(before?.tools ?? new Map(), body)) }
  },
}

function pinText({ name, digest, risk }: PinnedTool, before: ToolPin | undefined): string {
  const was = before && ` (before: ${before.risk}, definition ${before.digest})`
  return `The tool ${quoted(name)} may be called as risk class ${risk}, with the definition ${digest}${was ?? ''}.`
}

function changed(before: ServerPin['tools'], { set, unset, server }: ServerPinBody): ServerPin['tools'] {
  const tools = new Map(unset.includes(ALL) ? [] : before)
  for (const name of unset) {
    if (name !== ALL && !tools.delete(name)) throw new VerifyError('UNKNOWN_NAME', `${server} has no pinned tool ${quoted(name)}`)
  }
  for (const { name, digest, risk } of set) tools.set(name, { digest, risk })
  if (tools.size > MAX_TOOLS) throw new VerifyError('CEILING_EXCEEDED', `more than ${MAX_TOOLS} tools of one server`)
  return tools
}

function withTools(state: State, { gateway, server }: ServerPinBody, tools: ServerPin['tools']): State {
  const servers = new Map(state.servers)
  if (tools.size === 0) servers.delete(server)
  else servers.set(server, { gateway, server, tools })
  return { ...state, servers }
}
