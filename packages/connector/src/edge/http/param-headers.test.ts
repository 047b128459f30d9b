import { describe, expect, test } from 'vitest'
import { ParamHeaders } from './param-headers.ts'

const marked = (type: string, header: string) => ({ type, 'x-mcp-header': header })
const properties = {
  region: marked('string', 'Region'),
  count: marked('integer', 'Count'),
  dry: marked('boolean', 'Dry'),
  to: { type: 'object', properties: { host: marked('string', 'To-Host') } },
}
const known = new ParamHeaders()
known.learn({ tools: [{ name: 'run', inputSchema: { type: 'object', properties } }, { name: 'plain' }, null] })
const says = (args: object, headers: Record<string, string>, name = 'run') =>
  known.mismatchOf({ name, arguments: args } as never, headers) === undefined

describe('headers that repeat arguments', () => {
  test.each([
    ['nothing of either', {}, {}],
    ['the same text', { region: 'Hello' }, { 'mcp-param-region': 'Hello' }],
    ['the same text in Base64', { region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVsbG8=?=' }],
    ['what looks like Base64 and has no beginning', { region: 'SGVsbG8=' }, { 'mcp-param-region': 'SGVsbG8=' }],
    ['what looks like Base64 and has no end', { region: '=?base64?SGVsbG8=' }, { 'mcp-param-region': '=?base64?SGVsbG8=' }],
    ['the same number, otherwise written', { count: 42 }, { 'mcp-param-count': '42.0' }],
    ['the same truth', { dry: true }, { 'mcp-param-dry': 'true' }],
    ['something inside', { to: { host: 'a' } }, { 'mcp-param-to-host': 'a' }],
    ['null, and no header', { region: null }, {}],
    ['a header that no schema knows', {}, { 'mcp-param-other': 'x' }],
  ])('%s agrees', (_, args, headers) => expect(says(args, headers)).toBe(true))
  test.each([
    ['another text', { region: 'Hello' }, { 'mcp-param-region': 'hello' }],
    ['no header', { region: 'Hello' }, {}],
    ['a header alone', {}, { 'mcp-param-region': 'Hello' }],
    ['Base64 with bad padding', { region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVsbG8?=' }],
    ['Base64 with bad characters', { region: 'Hello' }, { 'mcp-param-region': '=?base64?SGVs!!!bG8=?=' }],
    ['another number', { count: 42 }, { 'mcp-param-count': '43' }],
    ['no number', { count: 0 }, { 'mcp-param-count': '' }],
    ['a truth that is text', { dry: true }, { 'mcp-param-dry': '1' }],
    ['a list', { region: ['a'] }, { 'mcp-param-region': 'a' }],
  ])('%s does not', (_, args, headers) => expect(says(args, headers)).toBe(false))
  test('of a tool that was not listed nothing is compared', () => {
    expect(says({ region: 'a' }, {}, 'other')).toBe(true)
    expect(says({ region: 'a' }, {}, 'plain')).toBe(true)
  })
})
