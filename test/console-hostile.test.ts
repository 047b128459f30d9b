// What machines, servers and agents say about themselves reaches the console's tables as text: what would not be seen is a mark there.
import { createTranslator, NextIntlClientProvider } from 'next-intl'
import type { FunctionComponent, ReactNode } from 'react'
import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { describe, expect, test } from 'vitest'
import messages from '../app/_messages/en.json' with { type: 'json' }
import { ClockProvider } from '../app/_ui/clock.tsx'
import { shellWord } from '../app/_ui/shell-word.ts'
import { callColumns } from '../app/(console)/calls/_parts/columns.tsx'
import { fleetColumns } from '../app/(console)/fleet/_parts/columns.tsx'
import { cellOf, csvOf } from '../app/(console)/fleet/_parts/csv.ts'
import { diffLines } from '../app/(console)/fleet/[atsign]/_parts/diff-lines.ts'
import { grantColumns } from '../app/(console)/grants/_parts/columns.tsx'

// biome-ignore lint/suspicious/noControlCharactersInRegex: those are looked for
const UNSEEN = /[\u0000-\u0008\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u
const HOSTILE = ['pay\u202efdp.refund', 'zero\u200bwidth', '<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', '\u0007bell']

const translator = (namespace: string) => createTranslator({ locale: 'en', messages, namespace: namespace as 'fleet' }) as never
const Messages = NextIntlClientProvider as FunctionComponent<Record<string, unknown>>
const Clock = ClockProvider as FunctionComponent<Record<string, unknown>>
const html = (cell: ReactNode) =>
  renderToStaticMarkup(
    createElement(Messages, { locale: 'en', messages, timeZone: 'UTC' }, createElement(Clock, { now: 1_795_161_600 }, cell)),
  )

describe.each(HOSTILE)('%j', (text) => {
  const row = {
    ...{ atsign: '@bot', kind: 'agent', state: 'online', reasons: [], tags: [], labels: [], outdated: false, enrolment: 'e' },
    ...{ servers: [], gateways: [], version: text, host: text },
  } as never
  const call = {
    id: 1,
    gateway: '@gw',
    agent: '@bot',
    server: text,
    tool: text,
    decision: 'deny',
    code: 'REVOKED',
    rule: text,
    at: 1,
    status: 'ok',
  } as never
  const grant = {
    ...{ hash: 'h', agent: '@bot', gateway: '@gw', tools: [{ server: text, tool: text, rule: text }], state: 'active' },
    ...{ issued: 1, expires: 2, used: 0, reported_ms: 1 },
  } as never
  const fleet = fleetColumns(translator('fleet'), { activity: {}, policy: 1, number: String })
  const calls = callColumns(translator('calls'), () => '/calls')
  const grants = grantColumns(translator('grants'), false)

  test.each([
    ...fleet.map((column) => ['fleet', column.id, () => column.cell(row)] as const),
    ...calls.map((column) => ['calls', column.id, () => column.cell(call)] as const),
    ...grants.map((column) => ['grants', column.id, () => column.cell(grant)] as const),
  ])('is harmless and whole in the column %s %s', (_, __, cell) => {
    const markup = html(cell())
    expect(markup).not.toMatch(UNSEEN)
    expect(markup).not.toMatch(/<script|<img/)
    expect(markup).not.toMatch(/\sstyle=/)
  })

  test('a version, a tool and a rule show it', () => {
    const shown = [fleet.find(({ id }) => id === 'version')!.cell(row), calls.find(({ id }) => id === 'tool')!.cell(call)]
    for (const cell of shown) {
      const markup = html(cell)
      if (UNSEEN.test(text)) expect(markup).toMatch(/<mark[^>]*>U\+[0-9A-F]{4}<\/mark>/)
      else expect(markup).toContain('&lt;')
    }
  })
})

test('CSV quotes what separates, and a spreadsheet takes nothing for a formula', () => {
  expect(cellOf('=cmd|calc')).toBe("'=cmd|calc")
  expect(cellOf('+1')).toBe("'+1")
  expect(cellOf('a,"b"\n')).toBe('"a,""b""\n"')
  const member = { atsign: '@bot', kind: 'agent', state: 'online', reasons: [], tags: ['a', 'b'], labels: [], servers: [], version: '=1,2' }
  expect(csvOf([member as never]).split('\r\n')[1]).toBe(`'@bot,agent,online,,"'=1,2",,,,a b,,,`)
})

test('a command line is one word where it must be one', () => {
  expect(shellWord('@bot')).toBe('@bot')
  expect(shellWord("it's; rm -rf /")).toBe(`'it'\\''s; rm -rf /'`)
})

test('a comparison keeps every line of both texts, in their order', () => {
  const lines = diffLines('a\nb\nc\nd', 'a\nx\nc\ny\nd')
  expect(lines.filter(({ kind }) => kind !== 'added').map(({ text }) => text)).toEqual(['a', 'b', 'c', 'd'])
  expect(lines.filter(({ kind }) => kind !== 'removed').map(({ text }) => text)).toEqual(['a', 'x', 'c', 'y', 'd'])
  expect(lines.filter(({ kind }) => kind === 'same').map(({ text }) => text)).toEqual(['a', 'c', 'd'])
})
