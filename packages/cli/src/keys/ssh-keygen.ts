import { spawn } from 'node:child_process'
import type { Namespace, PublicKey, Signature } from '@postern/core'
import { fromSshSignature, keyIdOf } from '@postern/core'
import { CliError } from '../errors.ts'

const MAX_OUTPUT = 64 << 10

/**
 * Signs with `ssh-keygen -Y sign`: a key file, ssh-agent, or a FIDO2 token, which it asks to be touched. It speaks to the person on the
 * terminal itself. What comes back is checked to be by this key and under this namespace, NOT verified: the caller does that.
 * @throws {CliError} KEY_UNUSABLE
 */
export async function signWithSshKeygen(path: string, key: PublicKey, namespace: Namespace, bytes: Uint8Array): Promise<Signature> {
  const armored = await run('ssh-keygen', ['-Y', 'sign', '-n', namespace, '-f', path], bytes)
  const { publicKey, namespace: signed, signature } = fromSshSignature(armored)
  if (keyIdOf(publicKey) !== keyIdOf(key) || signed !== namespace) {
    throw new CliError('KEY_UNUSABLE', `ssh-keygen signed with another key than the one in ${path}`, { exit: 'failed' })
  }
  return signature
}

/** Public keys that ssh-agent offers, one line each. @throws {CliError} KEY_UNUSABLE */
export const listAgentKeys = async (): Promise<readonly string[]> =>
  (await run('ssh-add', ['-L'], new Uint8Array(0))).split('\n').filter((line) => /^(ssh-ed25519|sk-)/.test(line))

function run(command: string, args: readonly string[], input: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    let output = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
      if (output.length > MAX_OUTPUT) child.kill()
    })
    child.stdin.on('error', () => {}) // it ended before it read all: its exit code says why
    child.on('error', (cause) => reject(unusable(`${command} cannot be started: ${cause.message}`, cause)))
    child.on('close', (code) => {
      if (code === 0) resolve(output)
      else reject(unusable(`${command} ended with exit code ${code}`))
    })
    child.stdin.end(input)
  })
}

const unusable = (message: string, cause?: unknown) =>
  new CliError('KEY_UNUSABLE', message, {
    fix: 'see what it said above; ssh-agent may be locked, the token not plugged in, or OpenSSH older than 8.2',
    exit: 'failed',
    ...(cause ? { cause } : {}),
  })
