import { requestBytes } from '@postern/daemon'
import type { SignerDist } from './dist.ts'
import { sha256 } from './dist.ts'

/** One file, or one header, of a signer somewhere, beside what it should be. */
export interface CheckedPart {
  readonly part: string
  readonly state: 'ok' | 'changed' | 'missing'
  readonly expected: string
  readonly found: string | undefined
}

const MAX_BYTES = 4 << 20

/**
 * Compares what an address serves with the files of this installation: every file by its hash, the page also by the headers that hold it
 * in. Does NOT show what it serves to others, or a minute later.
 * @throws {OperationError} UNREACHABLE, TIMED_OUT
 */
export async function checkSigner(dist: SignerDist, origin: string): Promise<readonly CheckedPart[]> {
  const checked: CheckedPart[] = []
  for (const [name, expected] of dist.hashes) {
    const answer = await fetchFile(`${origin}/${name === 'index.html' ? '' : name}`)
    const found = answer && sha256(answer.body)
    checked.push({ part: name, state: !found ? 'missing' : found === expected ? 'ok' : 'changed', expected, found })
    if (name === 'index.html' && answer) checked.push(...Object.entries(dist.headers).map((header) => checkHeader(header, answer.headers)))
  }
  return checked
}

async function fetchFile(url: string) {
  try {
    return await requestBytes({ url, maxResponseBytes: MAX_BYTES })
  } catch (error) {
    if ((error as { status?: number }).status !== undefined) return undefined // it answered: something else than the file
    throw error
  }
}

/** Whatever stands for `{console}` there is that installation's own; everything around it is not. */
function checkHeader([name, expected]: readonly [string, string], headers: Headers): CheckedPart {
  const found = headers.get(name) ?? undefined
  const pattern = expected
    .split('{console}')
    .map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join(String.raw`https?://[^\s;,'"]+(?: https?://[^\s;,'"]+)*`)
  const isSame = found !== undefined && new RegExp(`^${pattern}$`).test(found)
  return { part: `header ${name.toLowerCase()}`, state: found === undefined ? 'missing' : isSame ? 'ok' : 'changed', expected, found }
}
