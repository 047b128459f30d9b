import { decodeUtf8 } from '../bytes/bytes.ts'
import { parseStrictJson } from '../bytes/json.ts'
import { parseUrl } from '../bytes/platform.ts'
import type { Shape } from '../bytes/shape.ts'
import { digest, object, oneOf, refuse } from '../bytes/shape.ts'
import { EdgeError } from './errors.ts'
import type { EdgeFiles } from './surroundings.ts'

/** The organisation an edge obeys, fixed when it was installed, and where its control plane was then. */
export type Pin = {
  /** SHA-256 of the genesis bytes, base64url. Never fetched. */
  readonly org: string
  /** Address of the control plane, without a slash at the end. A hint: a wrong one is denial of service. */
  readonly control: string
}

const PIN_FILE = 'org.json'
const controlAddress: Shape<string> = (value, path) =>
  typeof value === 'string' && isWebAddress(value) ? value : refuse(path, 'expected an http or https address')
const pinShape = object({ v: oneOf(1), org: digest, control: controlAddress })

const isWebAddress = (text: string) => {
  const url = parseUrl(text)
  return url !== undefined && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.search === ''
}

/** @returns undefined before enrolment. @throws {EdgeError} PIN_INVALID */
export async function readPin(files: Pick<EdgeFiles, 'read'>): Promise<Pin | undefined> {
  const bytes = await files.read(PIN_FILE)
  if (!bytes) return undefined
  try {
    const { org, control } = pinShape(parseStrictJson(decodeUtf8(bytes), { maxBytes: 4096, maxDepth: 2 }), PIN_FILE)
    return { org, control }
  } catch (cause) {
    throw new EdgeError('PIN_INVALID', `${PIN_FILE} cannot be read`, { cause })
  }
}

/**
 * Pins an organisation, once: what was made for one never changes to another. The address may change.
 * @throws {EdgeError} WRONG_ORGANISATION
 */
export async function writePin(files: EdgeFiles, pin: Pin): Promise<void> {
  const known = await readPin(files)
  if (known && known.org !== pin.org) {
    throw new EdgeError('WRONG_ORGANISATION', `this machine pinned organisation ${known.org}, the join string names ${pin.org}`)
  }
  await files.write(PIN_FILE, `${JSON.stringify({ v: 1, ...pin })}\n`)
}

/** `code`: a one-time enrolment code, e.g. `F4KD-9TWP`. */
export type JoinString = Pin & { readonly code: string }

/**
 * Reads `<control plane URL>#<organisation, 43 characters>.<code>`. The address is a hint, the organisation is the pin, the code only
 * lets a request into the queue.
 * @throws {EdgeError} JOIN_STRING_INVALID
 * @see packages/core/spec/enrolment.md
 */
export function parseJoinString(joinString: string): JoinString {
  const [, address = '', org = '', code = ''] = /^([^#\s]+)#([A-Za-z0-9_-]{43})\.([A-Za-z0-9_-]{4,64})$/.exec(joinString.trim()) ?? []
  if (!isWebAddress(address)) {
    throw new EdgeError('JOIN_STRING_INVALID', 'not a join string: expected <control plane URL>#<organisation>.<code>')
  }
  return { control: address.replace(/\/+$/, ''), org, code }
}

export const formatJoinString = ({ control, org, code }: JoinString): string => `${control.replace(/\/+$/, '')}#${org}.${code}`
