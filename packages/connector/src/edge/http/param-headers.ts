import type { IncomingHttpHeaders } from 'node:http'
import type { JsonObject, JsonValue } from '@postern/core'
import { isJsonObject } from '@postern/core'
import { decoded, fieldOf } from './era.ts'

/** Where in the arguments stands what a header repeats. */
interface Param {
  readonly header: string
  readonly path: readonly string[]
}
const maxTools = 4096
const maxDepth = 8

/**
 * `Mcp-Param-*`: headers that repeat arguments which a tool's schema marks with `x-mcp-header`. Known are the tools of the lists that have
 * passed here; of any other tool nothing is compared. A decision never rests on a header.
 */
export class ParamHeaders {
  readonly #tools = new Map<string, readonly Param[]>()

  /** A `tools/list` result on its way to a client. */
  learn({ tools }: JsonObject): void {
    for (const tool of Array.isArray(tools) ? tools : []) {
      if (!isJsonObject(tool) || typeof tool.name !== 'string') continue
      this.#tools.delete(tool.name)
      if (this.#tools.size < maxTools) this.#tools.set(tool.name, [...paramsIn(tool.inputSchema, [])])
    }
  }

  /** What a header says otherwise than the arguments, or does not say. */
  mismatchOf({ name, arguments: args = {} }: JsonObject, headers: IncomingHttpHeaders): string | undefined {
    const params = typeof name === 'string' ? (this.#tools.get(name) ?? []) : []
    const odd = params.find(({ header, path }) => !agrees(fieldOf(headers, header), valueAt(args, path)))
    return odd && `${odd.header} is missing or another than in the body`
  }
}

function* paramsIn(schema: JsonValue | undefined, path: readonly string[]): Generator<Param> {
  if (!isJsonObject(schema) || !isJsonObject(schema.properties) || path.length >= maxDepth) return
  for (const [name, property] of Object.entries(schema.properties)) {
    if (!isJsonObject(property)) continue
    const suffix = property['x-mcp-header']
    if (typeof suffix === 'string' && /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(suffix))
      yield { header: `mcp-param-${suffix.toLowerCase()}`, path: [...path, name] }
    yield* paramsIn(property, [...path, name])
  }
}

function valueAt(args: JsonValue, path: readonly string[]): JsonValue | undefined {
  let value: JsonValue | undefined = args
  for (const name of path) value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  return value
}

/** An argument that is absent or null has no header. Numbers are compared as numbers. */
function agrees(field: string | undefined, value: JsonValue | undefined): boolean {
  if (value === undefined || value === null) return field === undefined
  const said = field === undefined ? undefined : decoded(field)
  if (said === undefined) return false
  if (typeof value === 'number') return /^-?\d+(?:\.\d+)?$/.test(said) && Number(said) === value
  return said === String(value) && (typeof value === 'string' || typeof value === 'boolean')
}
