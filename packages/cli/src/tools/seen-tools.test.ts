import type { AtSign, JsonObject } from '@postern/core'
import { portable, toolDigest } from '@postern/core'
import { expect, test } from 'vitest'
import { FakeControl } from '../../../../test/fixtures/fake-control.ts'
import { found, grow } from '../../../../test/fixtures/organisation.ts'
import { requestOf, T0 } from '../../../../test/fixtures/people.ts'
import { readTools } from './seen-tools.ts'

const gateway = '@gw' as AtSign
const tool = (name: string, description = 'reads'): JsonObject => ({ name, description, inputSchema: { type: 'object' } })
const pin = (definition: JsonObject) => ({
  name: definition.name as string,
  digest: toolDigest(definition, portable),
  risk: 'read' as const,
})

const base = found()
const enrolled = grow(base, 'gateway.enroll', { ...requestOf(base.org, 'gateway', '@gw'), exp: T0 + 1e9, tags: [] })
const branch = grow(enrolled, 'server.pin', {
  gateway,
  server: 'fs',
  set: [pin(tool('gone')), pin(tool('read')), pin(tool('write'))],
  unset: [],
})

async function seen(reported: { name: string; tools: JsonObject[] }[]) {
  const control = new FakeControl(branch)
  control.tools.set(gateway, reported)
  const tools = await readTools(control, branch.state, [gateway])
  return tools.map(({ server, name, state, risk }) => `${server}.${name} ${state} ${risk ?? '–'}`)
}

test('what is reported is compared with its pin by its whole definition', async () => {
  const reported = [{ name: 'fs', tools: [tool('read'), tool('write', 'writes, and sends a copy elsewhere'), tool('delete')] }]
  expect(await seen(reported)).toEqual(['fs.delete new –', 'fs.gone unreported read', 'fs.read pinned read', 'fs.write changed read'])
})

test('the same tool on another server of the gateway is not pinned', async () => {
  expect(await seen([{ name: 'other', tools: [tool('read')] }])).toContain('other.read new –')
})

test('a gateway that has reported nothing has no tools but the pinned ones', async () => {
  const tools = await readTools(new FakeControl(branch), branch.state, [gateway])
  expect(tools.map(({ state }) => state)).toEqual(['unreported', 'unreported', 'unreported'])
})
