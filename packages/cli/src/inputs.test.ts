import { expect, test } from 'vitest'
import { argumentsOf, atSignOf, integerOf, listOf, toolOf } from './inputs.ts'

const usage = expect.objectContaining({ code: 'USAGE', exit: 'usage' })

test('an atSign is one, or wrong usage', () => {
  expect(atSignOf('@ana-claude')).toBe('@ana-claude')
  for (const text of ['', 'ana', '@', '@Ana', '@ana.b', `@${'a'.repeat(56)}`, '@a\u202e']) expect(() => atSignOf(text)).toThrow(usage)
})

test('a list is what stands between commas, each thing once, in order', () => {
  expect(listOf(' prod, eu,,prod ')).toEqual(['eu', 'prod'])
  expect(listOf(undefined)).toEqual([])
})

test('a number is within its bounds', () => {
  expect(integerOf('15', '--minutes', 1, 60)).toBe(15)
  for (const text of ['0', '61', '1.5', '-1', '0x10', '1e1', '', ' 1']) expect(() => integerOf(text, '--minutes', 1, 60)).toThrow(usage)
})

test.each([
  ['fs.read_text_file', [], 'fs', 'read_text_file'],
  ['crm.eu.find', [], 'crm', 'eu.find'],
  ['crm.eu.find', ['crm', 'crm.eu'], 'crm.eu', 'find'],
  ['crm.eu.find', ['crm.e'], 'crm', 'eu.find'],
])('%s with servers %j is %s and %s', (text, servers, server, tool) => {
  expect(toolOf(text, servers)).toEqual({ server, tool })
})

test('what names no tool is wrong usage', () => {
  for (const text of ['fs', '.read', 'fs.', '']) expect(() => toolOf(text)).toThrow(usage)
})

test('arguments are one JSON object, read strictly', () => {
  expect(argumentsOf('{"path":"/notes"}')).toEqual({ path: '/notes' })
  for (const text of ['', '[]', '1', '{"a":1,"a":2}', '{"__proto__":{}}', "{'a':1}"]) expect(() => argumentsOf(text)).toThrow(usage)
})
