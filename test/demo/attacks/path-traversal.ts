import { join, relative } from 'node:path'
import { allowed, attack, codeOf, must } from '../attack.ts'
import { openClient } from '../stage/client.ts'
import type { Files } from '../stage/files.ts'
import { publicServers } from '../stage/servers.ts'

/** Ways to write the same file so that it begins like an allowed path. */
function disguises({ notes, payroll, root }: Files): string[] {
  const name = relative(root, payroll)
  return [
    `${notes}/../${name}`,
    `${notes}/./../${name}`,
    `${notes}//../${name}`,
    `${notes}/..\\${name}`,
    `${notes}/%2e%2e/${name}`,
    `${notes}/\u2025/${name}`,
    `${notes}/..\u200b/${name}`,
    `${notes}-backup/../${name}`,
    join(root, name),
  ]
}

/** The MCP server would hand out the file: only the rule stands between. */
export const pathTraversal = attack({
  name: 'path traversal past a prefix condition',
  expect: 'ARGUMENT_REFUSED',
  honest: {
    name: 'read_text_file below the prefix',
    run: async ({ client, files }) => void allowed(await client.call('read_text_file', { path: files.note, head: 1 })),
  },
  async run({ client, files }) {
    await using direct = await openClient(publicServers.filesystem(files.root))
    const { text } = await direct.call('read_text_file', { path: `${files.notes}/../payroll.txt`, head: 1 })
    must(text.includes(files.payrollLine), 'the server by itself does not hand out the file: there is nothing to protect')
    const codes = new Set<string>()
    for (const path of disguises(files)) {
      const reply = await client.call('read_text_file', { path, head: 1 })
      must(!reply.text.includes(files.payrollLine), `the file came out through ${path}`)
      codes.add(codeOf(reply))
    }
    return { code: [...codes].join(' '), note: `${disguises(files).length} spellings` }
  },
})
