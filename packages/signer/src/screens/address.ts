import type { App } from '../app.ts'
import { words } from '../words.ts'

export interface AddressCheck {
  readonly state: 'ok' | 'warn' | 'bad'
  readonly text: string
}
export interface CheckedAddress {
  readonly checks: readonly AddressCheck[]
  /** Somebody was here before. */
  readonly founded?: { readonly name: string; readonly at: number | undefined }
}

const MAX_SKEW_SECONDS = 60
const IP = /^(\d{1,3}(\.\d{1,3}){3}|\[.*\])$/

interface Health {
  readonly status?: string
  readonly organisation?: { readonly name?: unknown; readonly founded_at?: unknown }
}

/** Whether passkeys can be made at this address for good, and whether the control plane answers and agrees about the time. */
export async function checkAddress(app: App, control: string): Promise<CheckedAddress> {
  const { checks: text } = words.genesis
  const here: AddressCheck[] = [
    isSecureContext ? { state: 'ok', text: text.secure } : { state: 'bad', text: text.insecure },
    IP.test(app.hostname) ? { state: 'bad', text: text.ip(app.hostname) } : { state: 'ok', text: text.name(app.hostname) },
    'PublicKeyCredential' in window ? { state: 'ok', text: text.webauthn } : { state: 'bad', text: text.noWebauthn },
  ]
  try {
    const answer = await fetch(`${control}/api/health`, { credentials: 'omit', cache: 'no-store', signal: AbortSignal.timeout(10_000) })
    const health = (await answer.json()) as Health
    const reached: AddressCheck = answer.ok ? { state: 'ok', text: text.reached(control) } : { state: 'bad', text: text.unhealthy(control) }
    const { name, founded_at: at } = health.organisation ?? {}
    const founded = typeof name === 'string' ? { founded: { name, at: typeof at === 'number' ? at : undefined } } : {}
    return { checks: [...here, reached, clockCheck(answer.headers.get('date'), app.now())], ...founded }
  } catch {
    return { checks: [...here, { state: 'bad', text: text.unreached(control) }] }
  }
}

/** Statements carry times: a device that is minutes off would sign what edges make wait. */
export function clockCheck(date: string | null, now: number): AddressCheck {
  const { checks: text } = words.genesis
  const theirs = date === null ? Number.NaN : Date.parse(date) / 1000
  if (Number.isNaN(theirs)) return { state: 'warn', text: text.noClock }
  const skew = Math.round(Math.abs(now - theirs))
  return skew > MAX_SKEW_SECONDS ? { state: 'bad', text: text.skew(skew) } : { state: 'ok', text: text.clock }
}
