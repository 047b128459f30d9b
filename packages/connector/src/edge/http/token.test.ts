import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openStateDir } from '@postern/daemon'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openToken } from './token.ts'

let root: string
const random = (n: number) => new Uint8Array(n).fill(7)
const open = async (path?: string) => openToken(await openStateDir('agent', '@bot', root), path, random)
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'postern-token-'))
})
afterEach(() => rmSync(root, { recursive: true }))

test('a token is made once, 256 bits long, and only its owner can read it', async () => {
  const token = await open()
  expect(Buffer.from(token, 'base64url')).toHaveLength(32)
  expect(statSync(join(root, 'agent/@bot/http-token')).mode & 0o777).toBe(0o600)
  expect(await open()).toBe(token)
})

test('a token of one’s own must be long, and in a file that nobody else reads', async () => {
  const path = join(root, 'token')
  writeFileSync(path, `${'x'.repeat(32)}\n`, { mode: 0o600 })
  expect(await open(path)).toBe('x'.repeat(32))
  writeFileSync(path, 'short')
  await expect(open(path)).rejects.toMatchObject({ code: 'TOKEN_FILE_INVALID' })
  chmodSync(path, 0o644)
  await expect(open(path)).rejects.toMatchObject({ code: 'KEY_FILE_MODE' })
})
