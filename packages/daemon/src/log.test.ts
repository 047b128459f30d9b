import { expect, test } from 'vitest'
import { createLog } from './log.ts'
import { Secret } from './secret.ts'

function written(pretty: boolean) {
  const lines: string[] = []
  const to = { write: (line: string) => void lines.push(line) }
  return { log: createLog('relay', { to, pretty }), lines }
}

test('a line is JSON with level, time and name, and holds no secret', () => {
  const { log, lines } = written(false)
  log.info({ peers: 2, key: new Secret('hunter2') }, 'ready')
  expect(JSON.parse(lines[0]!)).toMatchObject({ level: 'info', name: 'relay', peers: 2, msg: 'ready', key: '[secret]' })
  expect(JSON.parse(lines[0]!).time).toMatch(/^\d{4}-.*Z$/)
})

test('for people it is one readable line', () => {
  const { log, lines } = written(true)
  log.warn({ peers: 2 }, 'slow')
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d relay warn slow peers=2\n$/)
  log.error({ err: Object.assign(new Error('disk full'), { code: 'ENOSPC' }) }, 'cannot write')
  expect(lines[1]).toContain('ENOSPC: disk full')
})
