import type { AtSign, KeyId, Suite } from '@postern/core'
import type { Log } from '@postern/daemon'
import type { NonceStore } from './auth/nonces.ts'
import type { Ledger } from './authority/ledger.ts'
import type { Bus } from './bus.ts'
import type { Config } from './config.ts'
import type { Database } from './db/open.ts'
import { ControlError } from './errors.ts'
import type { GrantExchange } from './grants/exchange.ts'
import type { GrantLog } from './grants/log.ts'
import type { Limiter } from './limiter.ts'
import type { Streams } from './stream/streams.ts'

/** What the whole process shares. Made once by `openControl`. */
export interface Control extends AsyncDisposable {
  readonly config: Config
  readonly db: Database
  readonly bus: Bus
  readonly ledger: Ledger
  readonly nonces: NonceStore
  readonly streams: Streams
  readonly exchange: GrantExchange
  readonly grantLog: GrantLog
  /** The hosts of `publicUrl`: what a signed request may name. */
  readonly hosts: ReadonlySet<string>
  /** Against guessing: codes and secrets; statements without a signed request; key ids. */
  readonly limits: { readonly guesses: Limiter; readonly strangers: Limiter; readonly lookups: Limiter }
  readonly suite: Suite
  readonly log: Log
  /** Unix seconds when this process opened; the genesis secret counts from here. */
  readonly startedAt: number
  now(): number
  random(bytes: number): Uint8Array
}

/** Somebody whose key is enrolled. `kid` is the key that signed the request, or names the session of a browser. */
export interface Actor {
  readonly role: 'agent' | 'gateway' | 'person' | 'admin'
  readonly org: string
  readonly atsign: AtSign
  readonly kid: string
  /** People: the enrolled key that signed their login. */
  readonly login?: KeyId
}
export type Principal =
  | { readonly role: 'anyone' }
  /** `code`: the id of the code they hold, when it is a code. */
  | { readonly role: 'code-holder'; readonly org: string; readonly code?: string }
  | Actor

/** Per request. Organisation and actor come from `principal`, never from input. */
export interface Context {
  readonly control: Control
  readonly principal: Principal
  readonly requestId: string
  /** Unix seconds: when the session of the person who asks ends. */
  readonly until?: number | undefined
}

/** The actor of a request whose permission excludes everybody else. */
export function actorOf({ principal }: Context): Actor {
  if (principal.role === 'anyone' || principal.role === 'code-holder')
    throw new ControlError('UNAUTHENTICATED', 'no enrolled key signed this')
  return principal
}

/** The organisation of a request by anybody but `anyone`. */
export function orgOf({ principal }: Context): string {
  if (principal.role === 'anyone') throw new ControlError('UNAUTHENTICATED', 'nobody in particular asks')
  return principal.org
}
