import { describe, expect, test } from 'vitest'
import { utf8 } from '../bytes/bytes.ts'
import { parseAtSign } from '../key/atsign.ts'
import { permitsBeyond } from './beyond.ts'
import { describePolicyChange } from './change.ts'
import { parsePolicy } from './parse.ts'

const bytesOf = (entries?: unknown) =>
  utf8(JSON.stringify({ v: 1, name: 'main', rules: [], ...(entries ? { beyond_tools: entries } : {}) }))
const bot = { atsign: parseAtSign('@bot'), tags: ['dev'] }
const entry = { who: ['tag:dev'], servers: ['fs'], resources: ['file:///notes'], prompts: ['greet'], methods: ['tasks/get'] }
const policy = parsePolicy(bytesOf([entry]))

describe('what a policy permits beyond tools', () => {
  test.each(['file:///notes', 'file:///notes/a', 'file:///notes/a/b.txt'])('%s is at or below the named address', (resource) => {
    expect(permitsBeyond(policy, bot, 'fs', { resource })).toBe(true)
  })
  test.each([
    ...['file:///notesx', 'file:///notes/', 'file:///notes/../etc', 'file:///notes/./a', 'file:///notes//a', 'file:///notes/%2e%2e/etc'],
    ...['file:///notes/a?b', 'file:///notes/a#b', 'file:///notes/a\\b', 'file:///notes/é', 'file:///other', 'FILE:///notes/a', ''],
  ])('%s is not', (resource) => {
    expect(permitsBeyond(policy, bot, 'fs', { resource })).toBe(false)
  })
  test('prompts and methods are named exactly, for these agents and servers only', () => {
    expect(permitsBeyond(policy, bot, 'fs', { prompt: 'greet' })).toBe(true)
    expect(permitsBeyond(policy, bot, 'fs', { method: 'tasks/get' })).toBe(true)
    expect(permitsBeyond(policy, bot, 'fs', { prompt: 'Greet' })).toBe(false)
    expect(permitsBeyond(policy, bot, 'fs', { method: 'tasks/cancel' })).toBe(false)
    expect(permitsBeyond(policy, bot, 'other', { prompt: 'greet' })).toBe(false)
    expect(permitsBeyond(policy, { ...bot, tags: [] }, 'fs', { prompt: 'greet' })).toBe(false)
  })
  test('a policy that says nothing of it permits nothing', () => {
    expect(permitsBeyond(parsePolicy(bytesOf()), bot, 'fs', { resource: 'file:///notes' })).toBe(false)
  })
  test.each([
    ['nothing named', { who: ['*'], servers: ['*'] }],
    ['an unknown field', { ...entry, tools: ['a'] }],
    ['no address', { ...entry, resources: ['notes'] }],
    ['part of a name and a star', { ...entry, prompts: ['gre*'] }],
    ['every method', { ...entry, methods: ['*'] }],
    ['a method that rules decide', { ...entry, methods: ['tools/call'] }],
    ['a group that is not there', { ...entry, who: ['group:none'] }],
  ])('%s is a mistake', (_, wrong) => {
    expect(() => parsePolicy(bytesOf([wrong]))).toThrow()
  })
  test('whoever signs a change of it reads it', () => {
    expect(describePolicyChange(bytesOf(), bytesOf([entry]))).toEqual([
      'New, beyond tools: any agent tagged dev may use the resources file:///notes, the prompts greet and the methods tasks/get of fs.',
    ])
    expect(describePolicyChange(bytesOf([entry]), bytesOf())[0]).toMatch(/^Gone, beyond tools/)
  })
})
