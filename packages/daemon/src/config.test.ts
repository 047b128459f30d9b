import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { fromEnvironment, places, readConfig, variableOf } from './config.ts'
import { disabled, enabled } from './feature.ts'
import { Secret } from './secret.ts'

const schema = z.strictObject({
  port: z.coerce.number().int().min(1).default(80),
  token: z.string().transform((text) => new Secret(text)),
  inner: z.strictObject({ list: z.array(z.string()).default([]) }).default({ list: [] }),
})

test('what is read is frozen, all the way down', () => {
  const config = readConfig(schema, { token: 'x' })
  expect(config).toMatchObject({ port: 80, inner: { list: [] } })
  expect(Object.isFrozen(config) && Object.isFrozen(config.inner.list)).toBe(true)
})

test('all problems are reported in one error, by the names people write', () => {
  const read = () => readConfig(schema, { port: '-1', prot: '1' }, variableOf('POSTERN_X_'))
  expect(read).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  expect(read).toThrow(/POSTERN_X_PORT: .*POSTERN_X_TOKEN: .*POSTERN_X_PROT: is not an option/s)
})

test('variables become options; empty ones count as absent and others are left alone', () => {
  const environment = { POSTERN_X_MAX_QUEUE_BYTES: '5', POSTERN_X_PORT: '', OTHER: 'y' }
  expect(fromEnvironment('POSTERN_X_', environment)).toEqual({ maxQueueBytes: '5' })
  expect(variableOf('POSTERN_X_')('maxQueueBytes')).toBe('POSTERN_X_MAX_QUEUE_BYTES')
})

test('an option may stand in a file, without the newline at its end', () => {
  const file = join(mkdtempSync(join(tmpdir(), 'config-')), 'token')
  writeFileSync(file, 'hunter2\n')
  expect(fromEnvironment('POSTERN_X_', { POSTERN_X_TOKEN_FILE: file })).toEqual({ token: 'hunter2' })
  expect(() => fromEnvironment('POSTERN_X_', { POSTERN_X_TOKEN_FILE: `${file}.not` })).toThrow('POSTERN_X_TOKEN_FILE: cannot read')
})

test('a secret is never shown by accident', () => {
  const secret = new Secret('hunter2')
  expect([`${secret}`, JSON.stringify({ secret }), inspect({ secret })].join()).not.toContain('hunter2')
  expect(secret.expose()).toBe('hunter2')
})

test('a part that is switched off says why', () => {
  expect([enabled(1), disabled('no key')]).toEqual([
    { enabled: true, value: 1 },
    { enabled: false, reason: 'no key' },
  ])
})

test('places follow the XDG variables, and ignore relative ones', () => {
  expect(places({ HOME: '/home/ana' })).toEqual({
    state: '/home/ana/.local/state/postern',
    config: '/home/ana/.config/postern',
    runtime: undefined,
  })
  expect(places({ HOME: '/h', XDG_STATE_HOME: '/s', XDG_CONFIG_HOME: 'relative', XDG_RUNTIME_DIR: '/r' })).toEqual({
    state: '/s/postern',
    config: '/h/.config/postern',
    runtime: '/r/postern',
  })
})
