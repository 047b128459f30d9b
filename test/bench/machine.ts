// On what was measured.
import { readFileSync } from 'node:fs'
import { arch, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'
import { root } from '../fixtures/processes.ts'
import { peerVersions } from './peers.ts'

export function machineFacts(): Record<string, string | number> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${arch()}`,
    node: process.version,
    openssl: process.versions.openssl,
  }
}

export function versionFacts(): Record<string, string> {
  const installed = (name: string) =>
    (JSON.parse(readFileSync(join(root, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version
  const ours = Object.fromEntries(['next', '@electric-sql/pglite', 'ws', '@noble/curves'].map((name) => [name, installed(name)]))
  return { ...ours, ...peerVersions() }
}
