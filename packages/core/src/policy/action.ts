import type { JsonValue } from '../bytes/json.ts'
import type { AtSign } from '../key/atsign.ts'
import type { RiskClass } from '../statement/names.ts'

/** Who calls. From the authority log; `owner` is the person named in the agent's enrolment. */
export interface Subject {
  readonly atsign: AtSign
  readonly tags: readonly string[]
  readonly owner?: AtSign
}

/** What is called. `risk` comes from `server.pin`; without it no rule that names a risk class permits, and every one restricts. */
export interface Action {
  readonly server: string
  readonly tool: string
  readonly risk?: RiskClass | undefined
  /** The parsed object that will be forwarded. `undefined` counts as `{}`. */
  readonly args: JsonValue | undefined
}

/** Only what is left out counts as `{}`; null is a value, and no object. */
export const argumentsOf = ({ args }: Pick<Action, 'args'>): JsonValue => (args === undefined ? {} : args)
