// What every page of the console keeps to: texts come from the messages, nothing signs, no style attribute is written by the server.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import messages from '../app/_messages/en.json' with { type: 'json' }

const root = join(import.meta.dirname, '..')
const files = globSync('app/**/*.{ts,tsx}', { cwd: root }).filter((file) => !file.includes('.test.'))
const source = (file: string) => readFileSync(join(root, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, '$1')

/** Text between tags, and attributes that people see or hear. */
const TEXT = />\s*([^<>{}=]*\p{L}{2,}[^<>{}=;()]*)\s*<\//gu
const ATTRIBUTE = /\s(?:aria-label|title|placeholder|alt|label)="([^"]*\p{L}[^"]*)"/gu
const hardCoded = (code: string) => [...code.matchAll(TEXT), ...code.matchAll(ATTRIBUTE)].map(([, text]) => text!.trim())

describe('pages', () => {
  test.each(files.filter((file) => file.endsWith('.tsx')))('%s has no text of its own', (file) =>
    expect(hardCoded(source(file))).toEqual([]),
  )
  test('a text in a tag or an attribute would be found', () =>
    expect(hardCoded('<p className="x">Hello there</p><input placeholder="Your name" />')).toEqual(['Hello there', 'Your name']))

  test.each(files)('%s signs nothing', (file) => expect(source(file)).not.toMatch(/navigator\s*\.\s*credentials|PublicKeyCredential/))
  test.each(files)('%s shows no comparison words', (file) =>
    expect(source(file)).not.toMatch(/organisationWords|requestWords|comparisonWords|approvalWords/),
  )
  test.each(files.filter((file) => file.endsWith('.tsx')))('%s writes no style attribute', (file) =>
    expect(source(file)).not.toMatch(/\sstyle=\{/),
  )
})

test('every message is used by its page, or built from a name', () => {
  const all = files.map(source).join('\n')
  const names = Object.keys(messages)
  for (const name of names) expect(all, `nobody shows the messages of ${name}`).toMatch(new RegExp(`'${name}'`))
})
