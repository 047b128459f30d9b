import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CLIENTS, fieldsOf, findClient } from '../clients.ts'
import type { EditRecord } from './client-file.ts'
import { applyEdit, planAdd, planRemove, readEntries } from './client-file.ts'
import { addJsonEntry, removeJsonEntry } from './edit-json.ts'
import { addTomlEntry, removeTomlEntry } from './edit-toml.ts'
import { parseJsonNodes } from './json-nodes.ts'

let directory: string
let file: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'postern-client-'))
  file = join(directory, 'client.json')
})
afterEach(() => rmSync(directory, { recursive: true }))

const entry = {
  command: '/opt/node',
  args: ['/opt/main.ts', 'connector', 'run', 'fs', '--agent', '@ana-claude'],
  env: { XDG_STATE_HOME: '/s' },
}
const text = () => readFileSync(file, 'utf8')
const backups = () => readdirSync(directory).filter((name) => name.includes('.postern-backup-'))

async function add(name: string, client = 'vscode', content: object = fieldsOf(entry, findClient(client)!.fixed)): Promise<EditRecord> {
  const row = findClient(client)!
  return applyEdit(row, name, (await planAdd(row, file, name, content))!, '20261127T140000Z')
}
async function remove(name: string, record?: EditRecord, client = 'vscode') {
  const row = findClient(client)!
  const plan = (await planRemove(row, file, name, record))!
  await applyEdit(row, name, plan, '20261127T150000Z')
  return plan
}

/** What people have in their files. `KEY` is where the client keeps servers. */
const JSON_FILES: Record<string, string> = {
  'an empty file': '',
  'white space only': ' \n\n',
  'an empty object': '{}',
  'an empty object and a newline': '{}\n',
  'an empty object over two lines': '{\n}\n',
  'other settings': '{\n  "theme": "dark",\n  "n": 1.50\n}\n',
  'an empty list of servers': '{\n  "KEY": {}\n}\n',
  servers: '{\n  "KEY": {\n    "other": {\n      "command": "x"\n    }\n  },\n  "z": []\n}\n',
  'no newline at the end': '{\n  "KEY": {\n    "other": { "command": "x" }\n  }\n}',
  'four spaces': '{\n    "KEY": {\n        "other": {}\n    }\n}\n',
  tabs: '{\n\t"KEY": {\n\t\t"other": {}\n\t}\n}\n',
  'odd indentation': '{\n   "a": 1,\n      "KEY": {\n  "other": {},\n           "more": {}\n }\n}\n',
  'one line': '{"KEY":{"other":{"command":"x","args":[]}},"z":1}',
  'one line with spaces': '{ "KEY": { "other": { "command": "x" } } }\n',
  'Windows line ends': '{\r\n  "KEY": {\r\n    "other": {}\r\n  }\r\n}\r\n',
  'a byte order mark': '\ufeff{\n  "KEY": {\n    "other": {}\n  }\n}\n',
  'only a byte order mark': '\ufeff',
  'a trailing comma': '{\n  "KEY": {\n    "other": {},\n  },\n}\n',
  'comments everywhere':
    '// mine\n{\n  /* a */ "KEY": /* b */ {\n    // "old": {},\n    "other": { "command": "x" } // why, "KEY": {\n    // the end\n  }, // more\n  "z": 1 // no comma\n}\n// bye\n',
  'comments and nothing else inside': '{\n  "KEY": {\n    // none yet\n  }\n}\n',
  'a comment behind a trailing comma': '{\n  "KEY": {\n    "other": {}, // last\n  }\n}\n',
  'names and texts that look like syntax': '{\n  "a\\"{": "}, \\"KEY\\": {", "b//": "/*",\n  "KEY": { "x": {} }\n}\n',
  'the key also further inside': '{\n  "inner": { "KEY": { "fs": 1 } },\n  "KEY": {\n    "other": {}\n  }\n}\n',
}

describe.each(CLIENTS.filter(({ format }) => format === 'json').map((client) => [client.name, client] as const))('%s', (name, { key }) => {
  test.each(Object.entries(JSON_FILES))('a file with %s: add, then remove, gives back every byte', async (_, pattern) => {
    const before = pattern.replaceAll('KEY', key)
    writeFileSync(file, before)
    const record = await add('fs', name)
    expect(text()).not.toBe(before)
    expect(await readEntries(findClient(name)!, file)).toHaveProperty('fs')
    expect(readFileSync(record.backup!, 'utf8')).toBe(before)
    const plan = await remove('fs', record, name)
    expect(plan.isExact).toBe(true)
    expect(text()).toBe(before)
  })

  test('where there is no file one is made, readable by its owner alone, and gone again', async () => {
    file = join(directory, 'deep', 'er', 'client.json')
    const record = await add('fs', name)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(JSON.parse(text())[key].fs.command).toBe('/opt/node')
    await remove('fs', record, name)
    expect(existsSync(file)).toBe(false)
  })
})

describe('surgery alone, without the copy', () => {
  /** Removing cannot know how an empty object was spaced. */
  const lossy = new Set([
    'an empty file',
    'white space only',
    'an empty object',
    'an empty object and a newline',
    'an empty object over two lines',
    'only a byte order mark',
  ])
  test.each(Object.entries(JSON_FILES).filter(([what]) => !lossy.has(what)))('is exact in a file with %s', (_, pattern) => {
    const before = pattern.replaceAll('KEY', 'servers')
    const place = { key: 'servers', name: 'fs' }
    const added = addJsonEntry(before, place, entry)
    const had = 'servers' in (parseJsonNodes(before).value as object)
    expect(removeJsonEntry(added, place, !had)).toBe(before)
  })

  test.each(Object.entries(JSON_FILES))('says what it should in a file with %s', (_, pattern) => {
    const before = pattern.replaceAll('KEY', 'servers')
    const old = /^\ufeff?\s*$/.test(before) ? {} : (parseJsonNodes(before).value as Record<string, object>)
    const now = parseJsonNodes(addJsonEntry(before, { key: 'servers', name: 'fs' }, entry)).value
    expect(JSON.parse(JSON.stringify(now))).toEqual({ ...old, servers: { ...old.servers, fs: entry } })
  })

  test('keeps line ends and indentation of the file', () => {
    const added = addJsonEntry(
      '{\r\n\t"servers": {\r\n\t\t"other": {}\r\n\t}\r\n}\r\n',
      { key: 'servers', name: 'fs' },
      { command: 'x', args: ['y'] },
    )
    expect(added).toBe(
      '{\r\n\t"servers": {\r\n\t\t"other": {},\r\n\t\t"fs": {\r\n\t\t\t"command": "x",\r\n\t\t\t"args": [\r\n\t\t\t\t"y"\r\n\t\t\t]\r\n\t\t}\r\n\t}\r\n}\r\n',
    )
  })

  test('for any JSON, in any indentation, adding and removing keeps all other values', () => {
    const json = fc.json({ maxDepth: 3 }).map((inner) => JSON.parse(inner) as unknown)
    const files = fc.record({ servers: fc.dictionary(fc.string(), json), other: json, indent: fc.constantFrom(undefined, 1, 2, 4, '\t') })
    fc.assert(
      fc.property(files, ({ servers, other, indent }) => {
        const before = { other, servers: JSON.parse(JSON.stringify(servers)) as Record<string, unknown> }
        delete before.servers.fs
        const source = JSON.stringify(before, null, indent)
        const added = addJsonEntry(source, { key: 'servers', name: 'fs' }, entry)
        expect(JSON.parse(added)).toEqual({ ...before, servers: { ...before.servers, fs: entry } })
        expect(JSON.parse(removeJsonEntry(added, { key: 'servers', name: 'fs' })!)).toEqual(before)
      }),
    )
  })
})

const TOML_FILES: Record<string, string> = {
  'an empty file': '',
  settings: 'model = "o9"\n',
  'no newline at the end': 'model = "o9"',
  servers: '[mcp_servers.other]\ncommand = "x"\nargs = ["y"]\n\n[tui]\ntheme = "dark" # mine\n',
  'Windows line ends': '[mcp_servers.other]\r\ncommand = "x"\r\n',
  'a byte order mark': '\ufeffmodel = "o9"\n',
  'a text that looks like a table': 'notes = """\n[mcp_servers.fs]\ncommand = "no"\n"""\nliteral = \'\'\'\n[x]\'\'\'\n',
  'lists of several lines': 'a = [\n  ["x"],\n  "[mcp_servers.fs]", # ]\n]\n\n[t]\nb = 1\n',
  'dates and big numbers': 'when = 2026-11-27T10:00:00Z\nbig = 9007199254740993\n',
}

describe('codex', () => {
  test.each(Object.entries(TOML_FILES))('a file with %s: add, then remove, gives back every byte', async (_, before) => {
    writeFileSync(file, before)
    const record = await add('fs', 'codex')
    expect(await readEntries(findClient('codex')!, file)).toMatchObject({ fs: { command: '/opt/node', env: { XDG_STATE_HOME: '/s' } } })
    await remove('fs', record, 'codex')
    expect(text()).toBe(before)
  })

  test.each(Object.entries(TOML_FILES).filter(([, before]) => /\n$/.test(before)))(
    'surgery alone is exact in a file with %s',
    (_, before) => {
      const place = { key: 'mcp_servers', name: 'fs' }
      expect(removeTomlEntry(addTomlEntry(before, place, entry), place)).toBe(before)
    },
  )

  test('takes out its own tables from between others, with what is written about those left alone', () => {
    const before =
      '[a]\nx = 1\n\n[mcp_servers.fs]\ncommand = "x"\nargs = [\n  "y",\n]\n\n[mcp_servers.fs.env]\nA = "1"\n\n# about b\n[b]\ny = 2\n'
    expect(removeTomlEntry(before, { key: 'mcp_servers', name: 'fs' })).toBe('[a]\nx = 1\n\n# about b\n[b]\ny = 2\n')
  })

  test('leaves alone what is written as one line, and says so', async () => {
    writeFileSync(file, 'mcp_servers = { fs = { command = "x" } }\n')
    await expect(planRemove(findClient('codex')!, file, 'fs', undefined)).rejects.toMatchObject({ code: 'CLIENT_FILE_INVALID' })
    await expect(planAdd(findClient('codex')!, file, 'other', entry)).rejects.toMatchObject({ code: 'CLIENT_FILE_INVALID' })
  })
})

describe('a file that somebody else changes too', () => {
  test('loses the entry alone when it was changed since', async () => {
    writeFileSync(file, '{\n  "theme": "dark"\n}\n')
    const record = await add('fs')
    writeFileSync(file, text().replace('"dark"', '"light"'))
    const plan = await remove('fs', record)
    expect(plan.isExact).toBe(false)
    expect(text()).toBe('{\n  "theme": "light"\n}\n')
  })

  test('with two entries is as it was when both are gone, in whichever order', async () => {
    const before = '{\n  // mine\n  "servers": {\n    "other": {}\n  }\n}\n'
    writeFileSync(file, before)
    const [one, two] = [await add('fs'), await add('crm')]
    await remove('fs', one)
    await remove('crm', two)
    expect(text()).toBe(before)
  })

  test('is not written over when it changes between reading and writing', async () => {
    writeFileSync(file, '{}')
    const row = findClient('vscode')!
    const plan = (await planAdd(row, file, 'fs', entry))!
    writeFileSync(file, '{"theme":1}')
    await expect(applyEdit(row, 'fs', plan, 'x')).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(text()).toBe('{"theme":1}')
  })

  test('keeps its mode, and a link stays a link', async () => {
    const real = join(directory, 'dotfiles.json')
    writeFileSync(real, '{}')
    chmodSync(real, 0o640)
    symlinkSync(real, file)
    await add('fs')
    expect(readFileSync(real, 'utf8')).toContain('"fs"')
    expect(statSync(real).mode & 0o777).toBe(0o640)
  })
})

describe('what is refused', () => {
  test.each([
    ['not JSON', '{ "servers": '],
    ['a list', '[]'],
    ['servers that are a list', '{ "servers": [] }'],
    ['two documents', '{} {}'],
    ['a name without quotes', '{ servers: {} }'],
    ['a missing comma', '{ "a": 1 "servers": {} }'],
  ])('%s: the file stays as it is', async (_, before) => {
    writeFileSync(file, before)
    await expect(planAdd(findClient('vscode')!, file, 'fs', entry)).rejects.toMatchObject({ code: 'CLIENT_FILE_INVALID' })
    expect(text()).toBe(before)
  })

  test('bytes that are no text', async () => {
    writeFileSync(file, Buffer.from([0x7b, 0xff, 0x7d]))
    await expect(planAdd(findClient('vscode')!, file, 'fs', entry)).rejects.toMatchObject({ code: 'CLIENT_FILE_INVALID' })
  })

  test('another entry of that name', async () => {
    writeFileSync(file, '{"servers":{"fs":{"command":"theirs"}}}')
    await expect(planAdd(findClient('vscode')!, file, 'fs', entry)).rejects.toMatchObject({ code: 'CONFLICT' })
  })
})

test('adding what is there already changes nothing, and removing what is not there neither', async () => {
  writeFileSync(file, '{}')
  await add('fs', 'cursor')
  expect(await planAdd(findClient('cursor')!, file, 'fs', fieldsOf(entry, { type: 'stdio' }))).toBeUndefined()
  expect(await planRemove(findClient('cursor')!, file, 'crm', undefined)).toBeUndefined()
  expect(backups()).toHaveLength(1)
})
