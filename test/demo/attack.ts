import type { Stage } from './stage/stage.ts'

/** What an attack found out. */
export type Outcome =
  | {
      /** The code with which the honest side refused; `ALLOWED` when it did not. */
      readonly code: string
      /** What is worth telling besides. */
      readonly note?: string
      /** Measured by the attack itself, when that says more than how long it took. */
      readonly ms?: number
      /** Calls that honestly reached a server meanwhile. */
      readonly ran?: number
    }
  | { readonly skipped: string }

/**
 * One attack on a running organisation. Everything it needs it takes from the stage, and what it broke it repairs, so that attacks can run
 * alone and in any order.
 */
export interface Attack<P = unknown> {
  /** As people read it. */
  readonly name: string
  /** The one code that counts as refused. */
  readonly expect: string
  /** The same thing without the crime: it must be allowed and reach the server, or the refusal proves nothing. */
  readonly honest?: { readonly name: string; run(stage: Stage): Promise<P> }
  /** Must not make any other call reach a server than those it tells: whoever runs it looks. Throws when something else happened than a refusal. */
  run(stage: Stage, prepared: P): Promise<Outcome>
}

/** Keeps the type of what `honest` hands to `run`. */
export const attack = <P>(it: Attack<P>): Attack => it as Attack

/** @throws Error when something that must hold did not */
export function must(holds: unknown, what: string): asserts holds {
  if (!holds) throw new Error(what)
}

/** What a refused request says, or a complaint that it was allowed. */
export const codeOf = (reply: object): string => ('code' in reply && reply.code !== 'OK' ? String(reply.code) : 'ALLOWED')

/** For the honest part: the reply, which must not be a refusal. */
export function allowed<R extends { readonly code: string }>(reply: R): R {
  const { code, message, text } = reply as R & { message?: string; text?: string }
  must(code === 'OK', `an honest call was refused: ${code} ${message ?? text ?? ''}`)
  return reply
}
