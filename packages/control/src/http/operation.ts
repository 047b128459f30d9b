import type { z } from 'zod'
import type { Permission } from '../access.ts'
import type { Context } from '../context.ts'
import type { Refusal } from '../errors.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
type Schema = z.ZodType
type Read<S> = S extends Schema ? z.output<S> : undefined

/** What a route takes and gives; the OpenAPI document is made of exactly this. */
export interface Description<P, Q, B, A> {
  readonly method: Method
  /** As in the OpenAPI document: `/api/v1/policies/{sha256}`. The file of the route follows from it. */
  readonly path: `/api/${string}`
  readonly summary: string
  readonly params?: P
  readonly query?: Q
  /** JSON, strict; or `bytes` for an application/octet-stream body. Absent: a body is refused. */
  readonly body?: B
  /** Absent: the handler returns a `Response` of its own (bytes, a stream). */
  readonly answer?: A
  /** What the answer is when there is no schema for it. */
  readonly answerType?: 'application/octet-stream' | 'text/event-stream' | 'application/json'
  /** Default 65,536; counted while reading. */
  readonly maxBytes?: number
  /** Default 16. */
  readonly maxDepth?: number
  /** Where a code-holder without a signature shows the code, when not in the header `postern-code`. */
  readonly codeIn?: 'body'
  /** A failure of ours is answered with 503 and this body: for health, which must say why even when nothing could be opened. */
  readonly unavailable?: (refusal: Refusal) => unknown
}
export interface Input<P, Q, B> {
  readonly params: Read<P>
  readonly query: Read<Q>
  readonly body: B extends 'bytes' ? Uint8Array<ArrayBuffer> : Read<B>
  /** Ends when the asker hangs up. */
  readonly signal: AbortSignal
  readonly headers: Headers
}

/** A route with its permission: there is no other way to make one. */
export interface Operation extends Description<Schema | undefined, Schema | undefined, Schema | 'bytes' | undefined, Schema | undefined> {
  readonly permission: Permission
  handle(context: Context, input: Input<Schema | undefined, Schema | undefined, Schema | 'bytes' | undefined>): Promise<unknown>
}

export function route<
  P extends Schema | undefined = undefined,
  Q extends Schema | undefined = undefined,
  B extends Schema | 'bytes' | undefined = undefined,
  A extends Schema | undefined = undefined,
>(
  permission: Permission,
  description: Description<P, Q, B, A>,
  handle: (context: Context, input: Input<P, Q, B>) => Promise<A extends Schema ? z.input<A> : Response>,
): Operation {
  return { permission, ...description, handle } as Operation
}
