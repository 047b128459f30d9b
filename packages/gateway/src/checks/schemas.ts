import type { JsonObject, JsonValue } from '@postern/core'
import type { Weight } from './schema-bounds.ts'
import { weigh } from './schema-bounds.ts'
import type { Fits } from './schema-compiler.ts'
import { compileSchema } from './schema-compiler.ts'
import type { Thread } from './thread.ts'

/** How a value and a schema go together. Texts name the place and never repeat the value. */
export type Fit = { readonly fits: true } | { readonly misfit: string } | { readonly unusable: string }
const FITS: Fit = { fits: true }

/** Compiled schemas that are kept. */
const MAX_KEPT = 1_000

interface Prepared {
  readonly weight: Weight
  readonly fits: Fits
}
type Known = Prepared | { readonly unusable: string }

/** Checks values against schemas that somebody else wrote, in bounded time and memory. */
export interface Schemas {
  /**
   * @param key What the schema is known by, e.g. the digest of the tool's definition and which of its schemas: the same key always with the same schema.
   * @returns at once for a schema that was seen before and is quick to check
   */
  check(key: string, schema: JsonObject, value: JsonValue): Fit | Promise<Fit>
}

/**
 * A schema is compiled in the thread first; only one that this survived within the limit is compiled here too. Schemas whose check may take
 * long for a small value (recursion, `uniqueItems`, …) stay in the thread. What takes too long is refused.
 */
export function createSchemas(thread: Thread): Schemas {
  const known = new Map<string, Known>()
  const keep = (key: string, value: Known): Known => {
    if (known.size >= MAX_KEPT) known.delete(known.keys().next().value!)
    known.set(key, value)
    return value
  }
  const prepare = async (key: string, schema: JsonObject): Promise<Known> => {
    const weighed = weigh(schema)
    if ('unusable' in weighed) return keep(key, weighed)
    const { failed, busy } = await thread.ask({ kind: 'schema', key, schema })
    if (failed !== undefined) return busy ? { unusable: failed } : keep(key, { unusable: failed })
    return keep(key, { weight: weighed.weight, fits: weighed.weight === 'plain' ? compileSchema(schema) : () => undefined })
  }
  const judge = (key: string, schema: JsonObject, value: JsonValue, found: Known): Fit | Promise<Fit> => {
    if ('unusable' in found) return found
    if (found.weight === 'heavy') return inThread(thread, key, schema, value)
    const misfit = found.fits(value)
    return misfit === undefined ? FITS : { misfit }
  }
  return {
    check(key, schema, value) {
      const found = known.get(key)
      return found ? judge(key, schema, value, found) : prepare(key, schema).then((made) => judge(key, schema, value, made))
    },
  }
}

async function inThread(thread: Thread, key: string, schema: JsonObject, value: JsonValue): Promise<Fit> {
  const { failed, misfit } = await thread.ask({ kind: 'schema', key, schema, value })
  if (failed !== undefined) return { unusable: failed }
  return misfit === undefined ? FITS : { misfit }
}
