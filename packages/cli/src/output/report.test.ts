import { describe, expect, test } from 'vitest'
import type { Terminal } from '../config.ts'
import { readSettings } from '../config.ts'
import { cell, shortId, state, when } from './cell.ts'
import type { Report } from './report.ts'
import { renderReport } from './report.ts'
import { createStyle } from './style.ts'

const report: Report = {
  schema: 'fleet.list',
  data: [{ name: '@gw-oslo', tags: ['prod', 'eu'], note: 'a\u001b[31mred' }],
  ids: ['@gw-oslo'],
  facts: [['organisation', 'acme']],
  table: {
    columns: ['name', 'state', 'key', 'seen', 'tags', 'note'],
    rows: [
      ['@gw-oslo', state('offline'), shortId('abcdefghijklmnop'), when(1_795_161_600, 1_795_161_604), ['prod', 'eu'], 'a\u001b[31mred\tx'],
    ],
  },
  lines: ['1 of 1'],
  warnings: ['the clock is 3 s behind'],
}
const pipe: Terminal = { stdin: false, stdout: false, stderr: false, columns: undefined }
const terminal = { stdin: true, stdout: true, stderr: true, columns: 100 }

function render(flags: Parameters<typeof readSettings>[0], where = pipe, environment = {}) {
  const settings = readSettings(flags, 1, where, environment)
  return renderReport(report, settings, createStyle(settings))
}

describe('not on a terminal', () => {
  test('rows are tab-separated, without header or colour, with whole values and RFC 3339 times', () => {
    expect(render({})).toBe(
      'organisation\tacme\n@gw-oslo\toffline\tabcdefghijklmnop\t2026-11-20T08:00:00Z\tprod,eu\ta<U+001B>[31mred<U+0009>x\n1 of 1\n',
    )
  })

  test('--quiet prints ids and nothing else', () => {
    expect(render({ quiet: true })).toBe('@gw-oslo\n')
  })

  test('--json prints one document, with the warnings in it', () => {
    const text = render({ json: true })
    expect(JSON.parse(text)).toEqual({ schema: 'postern.fleet.list', v: 1, data: report.data, next: null, warnings: report.warnings })
    expect(text).not.toContain('\u001b')
  })

  test('--fields keeps only what was asked for', () => {
    expect(JSON.parse(render({ json: true, fields: 'name, tags' })).data).toEqual([{ name: '@gw-oslo', tags: ['prod', 'eu'] }])
  })

  test('a later version of a document adds a warning', () => {
    const settings = readSettings({ json: true }, 7, pipe, {})
    expect(JSON.parse(renderReport(report, settings, createStyle(settings))).warnings).toContain(
      'version 7 was asked for, this is version 1',
    )
  })
})

describe('on a terminal', () => {
  test('columns are aligned under their names, ids are short, times are relative', () => {
    expect(render({ color: 'never' }, terminal)).toBe(
      [
        'organisation  acme',
        'NAME      STATE      KEY       SEEN     TAGS     NOTE',
        '@gw-oslo  ○ offline  abcdefgh  4 s ago  prod,eu  a<U+001B>[31mred<U+0009>x',
        '1 of 1',
        '',
      ].join('\n'),
    )
  })

  test('nothing is said by colour alone', () => {
    const coloured = render({}, terminal)
    expect(coloured).toContain('\u001b[')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
    expect(coloured.replace(/\u001b\[\d+m/g, '')).toBe(render({ color: 'never' }, terminal))
  })

  test.each([
    ['NO_COLOR', { NO_COLOR: '1' }],
    ['a dumb terminal', { TERM: 'dumb' }],
  ])('%s switches colour off', (_, environment) => {
    expect(render({}, terminal, environment)).not.toContain('\u001b')
  })

  test('--color=always colours a pipe, whatever NO_COLOR says', () => {
    const settings = readSettings({ color: 'always' }, 1, { ...pipe, stdout: true }, { NO_COLOR: '1' })
    expect(renderReport(report, settings, createStyle(settings))).toContain('\u001b[')
  })

  test('POSTERN_ASCII=1 writes words for glyphs', () => {
    const text = render({ color: 'never' }, terminal, { POSTERN_ASCII: '1' })
    expect(text).toContain('o offline')
    expect(text).not.toContain('○')
  })

  test('only a last column that says so is cut, and only on a narrow terminal', () => {
    const settings = readSettings({ color: 'never' }, 1, { ...terminal, columns: 30 }, {})
    const table = { columns: ['id', 'text'], rows: [[cell('x'.repeat(20)), 'y'.repeat(60)]] }
    const rowOf = (shown: Report['table']) =>
      renderReport({ schema: 'x', data: [], ...(shown ? { table: shown } : {}) }, settings, createStyle(settings)).split('\n')[1]
    expect(rowOf({ ...table, isCut: true })).toBe(`${'x'.repeat(20)}  ${'y'.repeat(15)}…`)
    expect(rowOf(table)).toBe(`${'x'.repeat(20)}  ${'y'.repeat(60)}`)
  })

  test('an empty table says so', () => {
    const settings = readSettings({}, 1, terminal, {})
    const empty = { schema: 'x', data: [], table: { columns: ['a'], rows: [], empty: 'nothing waits' } }
    expect(renderReport(empty, settings, createStyle(settings))).toBe('nothing waits\n')
  })
})
