import { lookup } from 'node:dns/promises'
import { connect } from 'node:tls'
import { readAuthority } from '../authority/authority.ts'
import type { Person } from '../profile/person.ts'
import type { Check } from './checks.ts'

// Whether the control plane's address leads there: its name, its certificate, and what the authority log says about it.

type Found = Omit<Check, 'id'>

const isHere = (host: string): boolean => host === 'localhost' || host.endsWith('.localhost') || /^127\./.test(host) || host === '[::1]'

export async function nameCheck({ profile }: Person): Promise<Found> {
  const { hostname } = new URL(profile.control)
  const began = performance.now()
  try {
    const { address } = await lookup(hostname.replace(/^\[|\]$/g, ''))
    return { status: 'ok', detail: `${hostname} → ${address} (${Math.round(performance.now() - began)} ms)` }
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    return {
      status: 'failed',
      detail: `${hostname} has no address: ${why}`,
      fix: 'correct the address in config.toml, or the name service of this machine',
    }
  }
}

const WARN_DAYS = 14
const DAY_MS = 86_400_000

export async function tlsCheck({ profile }: Person): Promise<Found> {
  const { protocol, hostname, port } = new URL(profile.control)
  if (protocol !== 'https:') {
    if (isHere(hostname)) return { status: 'skipped', detail: 'plain http on this machine' }
    return {
      status: 'warning',
      detail: 'plain http: whoever stands between reads metadata and can hold things back',
      fix: 'put it behind https',
    }
  }
  const found = await certificateOf(hostname, Number(port || 443))
  if (typeof found === 'string')
    return { status: 'failed', detail: found, fix: 'renew the certificate of the control plane, or install its authority here' }
  const days = Math.floor((found.getTime() - Date.now()) / DAY_MS)
  const detail = `valid until ${found.toISOString().slice(0, 10)}`
  return days >= WARN_DAYS
    ? { status: 'ok', detail }
    : { status: 'warning', detail: `${detail}, ${days} days`, fix: 'renew the certificate of the control plane' }
}

/** When its certificate ends, or why none is accepted. */
function certificateOf(host: string, port: number): Promise<Date | string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, servername: host, timeout: 5000 })
    const end = (found: Date | string) => {
      resolve(found)
      socket.destroy()
    }
    socket.once('secureConnect', () => end(new Date(socket.getPeerCertificate().valid_to)))
    socket.once('timeout', () => end('no answer within 5 s'))
    socket.once('error', (error) => end(error.message))
  })
}

/** By the log as this machine has verified it: passkeys and consoles elsewhere would be somebody else's. */
export async function consoleCheck({ dir, profile }: Person): Promise<Found> {
  const known = await readAuthority(dir, profile.org)
  if (!known) return { status: 'skipped', detail: 'no log was fetched to this machine yet' }
  const { site, consoleOrigins } = known.state
  const { origin } = new URL(profile.control)
  const signers = `people sign at ${site.origins.join(', ')}`
  if (consoleOrigins.includes(origin)) return { status: 'ok', detail: `${origin}, as in the authority log; ${signers}` }
  return {
    status: 'warning',
    detail: `${origin} is not among the consoles of the authority log: ${consoleOrigins.join(', ')}; ${signers}`,
    fix: 'use an address that the log names, or have administrators sign signer.set',
  }
}
