import { encodeBase64url } from '@postern/core'
import type { StateDir } from '@postern/daemon'
import { readPrivateFile, writeDurably } from '@postern/daemon'
import { ConnectorError } from '../../errors.ts'

const FILE = 'http-token'

/**
 * The token of the HTTP endpoint, made when there is none yet. Whoever can read the file can call as this agent.
 * @throws {OperationError} KEY_FILE_MODE when others can read it. {ConnectorError} TOKEN_FILE_INVALID
 */
export async function openToken(directory: StateDir, path: string | undefined, random: (n: number) => Uint8Array): Promise<string> {
  const file = path ?? directory.file(FILE)
  const bytes = await readPrivateFile(file)
  if (bytes) return parseToken(file, Buffer.from(bytes).toString().trim())
  const token = encodeBase64url(random(32))
  await writeDurably(file, `${token}\n`)
  return token
}

function parseToken(file: string, token: string): string {
  if (/^[A-Za-z0-9_~.-]{32,256}$/.test(token)) return token
  throw new ConnectorError('TOKEN_FILE_INVALID', `${file} holds no token: expected 32–256 characters of A-Z a-z 0-9 _ - . ~`)
}
