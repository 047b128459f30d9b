import type { JsonObject, JsonValue } from '@postern/core'
import { Ajv } from 'ajv'
import { Ajv2019 } from 'ajv/dist/2019.js'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { RE2JS } from 're2js'

/** Says why a value does not fit, without repeating it; undefined when it fits. */
export type Fits = (value: JsonValue) => string | undefined

/**
 * `pattern` in time linear in the text (RE2). What RE2 cannot express (look-around, back references) is not judged: the schema is the
 * server's own, which checks its arguments itself; conditions of the policy never depend on it.
 */
function linearPattern(pattern: string): { test(text: string): boolean; toString(): string } {
  return { test: matcherOf(pattern), toString: () => pattern } // Ajv keeps compiled patterns by their text
}

function matcherOf(pattern: string): (text: string) => boolean {
  try {
    const compiled = RE2JS.compile(pattern)
    return (text) => compiled.matcher(text).find()
  } catch {
    return () => true
  }
}

const OPTIONS = {
  strict: false, // a keyword we do not know is an annotation (JSON Schema 2020-12 core §6.5)
  validateFormats: false, // an annotation too, by default; and its patterns would not be linear
  allErrors: false,
  messages: true,
  inlineRefs: false,
  addUsedSchema: false,
  logger: false,
  code: { regExp: Object.assign(linearPattern, { code: 'linearPattern' }) },
} as const

/** Ajv writes a function for the schema: the one named exception to "no eval", of text that Ajv alone composes. */
const DIALECTS: readonly (readonly [RegExp, () => Ajv])[] = [
  [/^http:\/\/json-schema\.org\/draft-0[67]\/schema#?$/, () => new Ajv(OPTIONS)],
  [/^https:\/\/json-schema\.org\/draft\/2019-09\/schema#?$/, () => new Ajv2019(OPTIONS) as unknown as Ajv],
  [/^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/, () => new Ajv2020(OPTIONS) as unknown as Ajv],
]

/**
 * Compiles a schema in its own dialect, 2020-12 where it names none. The caller has bounded it (`weigh`) and limits the time.
 * Nothing is fetched. Throws what Ajv throws for a schema that is none.
 */
export function compileSchema(schema: JsonObject): Fits {
  const { $schema = 'https://json-schema.org/draft/2020-12/schema' } = schema
  const [, create] = DIALECTS.find(([dialect]) => typeof $schema === 'string' && dialect.test($schema)) ?? []
  if (!create) throw new TypeError('the schema is of a dialect that is not known here')
  const { $schema: _, ...plain } = schema
  const validate = create().compile(plain)
  return (value) => {
    if (validate(value)) return undefined
    const { instancePath = '', message = 'does not fit', keyword = '', params } = validate.errors?.[0] ?? {}
    const name = keyword === 'additionalProperties' || keyword === 'unevaluatedProperties' ? ` (${nameIn(params)})` : ''
    return `${instancePath || 'the arguments'}: ${message}${name}`.slice(0, 300)
  }
}

const nameIn = (params: Record<string, unknown> | undefined): string =>
  JSON.stringify(String(params?.additionalProperty ?? params?.unevaluatedProperty ?? '').slice(0, 64))
