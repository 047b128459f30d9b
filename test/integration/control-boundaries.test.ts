import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const root = join(import.meta.dirname, '../..')
const files = globSync('{app,packages/control/src}/**/*.{ts,tsx}', { cwd: root }).filter((file) => !file.includes('/generated/'))
const code = (file: string) =>
  readFileSync(join(root, file), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/.*$/gm, '$1')

/** What the control plane must not be able to do. Evidence, not a sandbox: edges rely on none of it. */
const forbidden: Record<string, RegExp> = {
  'starts no process': /child_process|worker_threads|\bspawn\(|(?<!\.)\bexec(File)?(Sync)?\(|\bfork\(/,
  /** Pages ask their own origin by a path that stands there; nothing else is asked. */
  'fetches no URL and opens no connection but to its database':
    /\bfetch\((?!'\/[^/'])|node:https?['"]|node:net['"]|node:tls['"]|undici|axios|WebSocket|openEventSource|requestJson|openSocket/,
  'makes and holds no private key':
    /createPrivateKey|generateKeyPair|signDetached|signRequest|signToken|sign(Receipt|Ack|Grant|Call|Ask)\b|signEd25519|randomSecretKey|x25519PublicKey/,
  'opens nothing that is sealed': /openSealed|openAsk|openAnswer|createResponder|createInitiator/,
  'evaluates no code it was given': /\beval\(|new Function\(|\bvm\b/,
}
test.each(Object.entries(forbidden))('the control plane %s', (_, pattern) => {
  expect(files.filter((file) => pattern.test(code(file)))).toEqual([])
})

test('only packages/control/src/db and what it is made of knows Prisma’s generated client by value', () => {
  const value = /^import (?!type\b)[^'";]*from '[^']*generated\/client\.ts'/m
  const users = files.filter((file) => value.test(code(file)) && !file.startsWith('packages/control/src/db/'))
  expect(users).toEqual(['packages/control/src/authority/store.ts'])
})
