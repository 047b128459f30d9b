import type { ArgCondition, JsonObject, JsonValue } from '@postern/core'
import { CONDITION_NAMES, parseStrictJson } from '@postern/core'
import { usageError } from '../errors.ts'

/** As signed payloads spell them: they have no capitals in names. */
const NAMES: readonly string[] = CONDITION_NAMES.map((name) => name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`))

/**
 * Conditions on arguments as people type them: `path.prefix=/notes`, `amount.max=50`, `/nested/pointer.in=["a","b"]`. What does not read as
 * JSON is a text. Whether a condition makes sense is found when the ask is made.
 * @throws {CliError} USAGE
 */
export function conditionsOf(given: readonly string[]): readonly ArgCondition[] {
  const conditions = new Map<string, JsonObject>()
  for (const text of given) {
    const [, arg = '', name = '', value = ''] = /^(.+?)\.([a-z_A-Z]+)=(.*)$/s.exec(text) ?? []
    const spelling = name.replace(/[A-Z]/g, (capital) => `_${capital.toLowerCase()}`)
    if (!NAMES.includes(spelling))
      throw usageError(`--when takes <argument>.<condition>=<value>, not ${text}`, `conditions: ${NAMES.join(', ')}`)
    conditions.set(arg, { ...conditions.get(arg), [spelling]: readValue(value) })
  }
  return [...conditions].map(([arg, is]) => ({ arg, is }))
}

function readValue(text: string): JsonValue {
  try {
    return parseStrictJson(text, { maxBytes: 16_384, maxDepth: 6 })
  } catch {
    return text
  }
}
