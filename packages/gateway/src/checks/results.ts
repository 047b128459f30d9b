import type { JsonObject, JsonValue, OutputMode, RpcResponse } from '@postern/core'
import { isJsonObject } from '@postern/core'
import { findIdentifiers } from './identifiers.ts'
import type { Schemas } from './schemas.ts'
import type { Finding } from './secret-shapes.ts'
import type { Thread } from './thread.ts'

/** Where the labels of a checked result stand in its `_meta`. */
export const CHECKS_KEY = 'dev.postern/checks'

/** What was found, in kinds and numbers; never what it was. */
export type Labels = {
  readonly secrets: number
  readonly kinds: readonly string[]
  readonly hidden: number
  readonly identifiers: readonly string[]
}

export type Checked = { readonly response: RpcResponse; readonly labels: Labels } | { readonly refused: string }

export interface ResultChecks {
  /**
   * Looks through every text of a tool's result. In mode `redact` secrets are replaced by `[redacted: <kind>]` and invisible characters taken
   * out; in mode `refuse` a result with a secret is withheld. Identifiers with a checksum (IBAN, payment card) are labelled and left: for many
   * tools they are the point. `structuredContent` must fit the pinned output schema. What cannot be checked is withheld.
   */
  check(response: RpcResponse, mode: OutputMode, schema?: { readonly key: string; readonly schema: JsonObject }): Promise<Checked>
}

/** C0 and C1 controls but tab and line breaks, bidirectional formatting, zero-width and tag characters: what people do not see and models read. */
const HIDDEN = /[^\P{Cc}\t\n\r]|[\p{Bidi_Control}\u200b\u2060\ufeff]|[\u{e0000}-\u{e007f}]/gu
const MAX_TEXTS = 20_000

export function createResultChecks(thread: Thread, schemas: Schemas): ResultChecks {
  return {
    async check(response, mode, output) {
      const { result } = response
      if (!result) return { response, labels: NOTHING } // an error carries no content of the tool
      const misfit = output && result.isError !== true ? await misfitOf(schemas, output, result) : undefined
      if (misfit !== undefined) return { refused: misfit }
      const texts = textsOf(result)
      if (texts.length > MAX_TEXTS) return { refused: `it has more than ${MAX_TEXTS} texts` }
      const { findings, failed } = await thread.ask({ kind: 'secrets', texts })
      if (!findings) return { refused: failed ?? 'it could not be looked through' }
      return judge(response, result, texts, findings, mode)
    },
  }
}

const NOTHING: Labels = { secrets: 0, kinds: [], hidden: 0, identifiers: [] }

async function misfitOf(schemas: Schemas, { key, schema }: { key: string; schema: JsonObject }, result: JsonObject) {
  if (result.structuredContent === undefined)
    return result.resultType === undefined || result.resultType === 'complete'
      ? 'the tool promises structured content and gives none'
      : undefined
  const fit = await schemas.check(key, schema, result.structuredContent)
  if ('fits' in fit) return undefined
  return 'misfit' in fit ? `structuredContent${fit.misfit.replace(/^the arguments/, '')}` : fit.unusable
}

function judge(
  response: RpcResponse,
  result: JsonObject,
  texts: readonly string[],
  findings: readonly (readonly Finding[])[],
  mode: OutputMode,
): Checked {
  const all = findings.flat()
  const labels: Labels = {
    secrets: all.length,
    kinds: distinct(all),
    hidden: texts.reduce((sum, text) => sum + (text.match(HIDDEN)?.length ?? 0), 0),
    identifiers: distinct(texts.flatMap(findIdentifiers)),
  }
  if (mode === 'refuse' && all.length > 0) return { refused: `it holds what looks like a secret (${labels.kinds.join(', ')})` }
  const clean = new Map<string, string>()
  for (const [at, text] of texts.entries()) clean.set(text, redacted(text, findings[at] ?? []).replace(HIDDEN, ''))
  const cleaned = mapTexts(result, (text) => clean.get(text) ?? text) as JsonObject
  const labelled = { ...cleaned, _meta: { ...(isJsonObject(cleaned._meta) ? cleaned._meta : {}), [CHECKS_KEY]: asJson(labels) } }
  return { response: { ...response, result: labelled, json: { ...response.json, result: labelled } }, labels }
}

const distinct = (findings: readonly Finding[]): readonly string[] => [...new Set(findings.map(({ kind }) => kind))].sort()
const asJson = ({ secrets, kinds, hidden, identifiers }: Labels): JsonObject => ({
  secrets,
  kinds: [...kinds],
  hidden,
  identifiers: [...identifiers],
})

/** Back to front, so that places stay where they are. */
function redacted(text: string, findings: readonly Finding[]): string {
  return findings.reduceRight((rest, { start, end, kind }) => `${rest.slice(0, start)}[redacted: ${kind}]${rest.slice(end)}`, text)
}

/** Every different text in a value, names of members too. */
function textsOf(value: JsonObject): readonly string[] {
  const texts = new Set<string>()
  mapTexts(value, (text) => {
    texts.add(text)
    return text
  })
  return [...texts]
}

/** A value with other texts and the same shape. Binary content (`data` and `blob`, base64 beside a `mimeType`) stays as it is. */
function mapTexts(value: JsonValue, map: (text: string) => string): JsonValue {
  if (typeof value === 'string') return map(value)
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, map))
  if (!isJsonObject(value)) return value
  const isBinary = (name: string) => typeof value.mimeType === 'string' && (name === 'data' || name === 'blob')
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [isBinary(name) ? name : map(name), isBinary(name) ? item : mapTexts(item, map)]),
  )
}
