import type { Signature, SignerRequest } from '@postern/core'
import { decodeBase64url, encodeBase64url, equalBytes, signerRequestUrl } from '@postern/core'
import { readAuthority } from '../authority/authority.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import type { SignedIn } from '../profile/person.ts'
import { surroundings } from '../surroundings.ts'
import { openUrl } from './open-url.ts'

/** What the control plane says of a request. */
interface RequestJson {
  readonly status: 'open' | 'complete' | 'superseded' | 'refused' | 'expired'
  readonly bytes?: string
  readonly signatures: readonly Signature[]
  readonly reason?: string
}

/** What came of it: complete, or signed here and waiting for others. */
export interface SignedInBrowser {
  readonly id: string
  readonly status: 'complete' | 'waiting'
  /** All that were collected. */
  readonly signatures: readonly Signature[]
}

const EVERY_MS = 400
const WAIT_MS = 10 * 60_000

/**
 * Has bytes signed by a passkey: leaves them with the control plane, opens the signing page with their hash, and waits until they have been
 * signed there. The page shows them again, from the bytes, and verifies the log by itself; nothing that is said here changes what it signs.
 * @param id A request that waits already; otherwise one is made.
 * @throws {CliError} CONFLICT when somebody else signed first, DECLINED when it was refused, STILL_PENDING when nobody signed in time
 */
export async function signWithBrowser(
  context: Context,
  person: SignedIn,
  { kind, bytes, id: known }: { readonly kind: 'statement' | 'revocation'; readonly bytes: Uint8Array; readonly id?: string },
): Promise<SignedInBrowser> {
  const { client, profile } = person
  const json = { kind, bytes: encodeBase64url(bytes) }
  const id = known ?? (await client.call<{ id: string }>('/api/v1/drafts', { json })).id
  const before = await read(person, id)
  const sha256 = encodeBase64url(surroundings.suite.sha256(bytes))
  const request: SignerRequest = { v: 1, kind, control: new URL(profile.control).origin, org: profile.org, id, sha256 }
  context.say('◌ Sign it with your passkey, in the browser. It shows the same sentences:')
  openUrl(context, signerRequestUrl(await signerOf(person), request), true)
  for (const began = performance.now(); ; ) {
    const now = await read(person, id)
    if (now.bytes !== undefined && !equalBytes(decodeBase64url(now.bytes), bytes)) throw conflict()
    if (now.status === 'complete') return { id, status: 'complete', signatures: now.signatures }
    if (now.status === 'superseded' || now.status === 'expired') throw conflict()
    if (now.status === 'refused')
      throw new CliError('DECLINED', 'nothing was signed: it was refused', { exit: 'refused', ...(now.reason ? { why: now.reason } : {}) })
    if (now.signatures.length > before.signatures.length) return { id, status: 'waiting', signatures: now.signatures }
    if (performance.now() - began > WAIT_MS) throw late(id)
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
  }
}

const read = ({ client }: SignedIn, id: string): Promise<RequestJson> => client.call<RequestJson>(`/api/v1/requests/${id}`)

/** Where the passkeys of this organisation sign, by the verified log. */
/** Where this person's passkey signs. */
export async function signerOf({ dir, profile }: SignedIn): Promise<string> {
  const origin = (await readAuthority(dir, profile.org))?.state.site.origins[0]
  if (origin === undefined) throw new CliError('NOT_FOUND', 'the log names no signer', { exit: 'notFound' })
  return origin
}

const conflict = () =>
  new CliError('CONFLICT', 'somebody else signed first, and this waits no more', { fix: 'run the command again', exit: 'conflict' })
const late = (id: string) =>
  new CliError('STILL_PENDING', 'nobody signed it in time', { fix: `it waits still: postern sign ${id}`, exit: 'pending' })
