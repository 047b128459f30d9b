// A thread beside the gateway's own, for work on text and schemas that somebody else wrote: compiling a schema, checking against one that may
// take long, looking for secrets. It is ended and started anew when it takes too long. Holds nothing but schemas; has no environment.
import { parentPort } from 'node:worker_threads'
import type { JsonObject, JsonValue } from '@postern/core'
import type { Fits } from './schema-compiler.ts'
import { compileSchema } from './schema-compiler.ts'
import type { Finding } from './secret-shapes.ts'
import { findSecrets } from './secrets.ts'

/** `schema` compiles; with a value it checks it, too. `secrets` looks through each text. */
export type ThreadTask =
  | { readonly kind: 'schema'; readonly key: string; readonly schema: JsonObject; readonly value?: JsonValue }
  | { readonly kind: 'secrets'; readonly texts: readonly string[] }
/** `failed`: it could not be done, and why. */
export type ThreadResult = { readonly failed?: string; readonly misfit?: string; readonly findings?: readonly (readonly Finding[])[] }

const MAX_KEPT = 256
const compiled = new Map<string, Fits>()

function fitsOf(key: string, schema: JsonObject): Fits {
  const known = compiled.get(key)
  if (known) return known
  const fits = compileSchema(schema)
  if (compiled.size >= MAX_KEPT) compiled.delete(compiled.keys().next().value!)
  compiled.set(key, fits)
  return fits
}

async function perform(task: ThreadTask): Promise<ThreadResult> {
  if (task.kind === 'secrets') return { findings: await Promise.all(task.texts.map(findSecrets)) }
  const fits = fitsOf(task.key, task.schema)
  const misfit = task.value === undefined ? undefined : fits(task.value)
  return misfit === undefined ? {} : { misfit }
}

parentPort?.on('message', async ({ id, task }: { id: number; task: ThreadTask }) => {
  const result = await perform(task).catch((error: Error) => ({ failed: error.message.slice(0, 300) }))
  parentPort?.postMessage({ id, ...result })
})
