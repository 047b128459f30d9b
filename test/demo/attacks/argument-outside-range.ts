import { allowed, attack, codeOf } from '../attack.ts'

export const argumentOutsideRange = attack({
  name: 'argument outside its range',
  expect: 'ARGUMENT_REFUSED',
  honest: {
    name: 'read_text_file with head = 20, the most that the rule allows',
    run: async ({ client, files }) => void allowed(await client.call('read_text_file', { path: files.note, head: 20 })),
  },
  async run({ client, files }) {
    return { code: codeOf(await client.call('read_text_file', { path: files.note, head: 21 })) }
  },
})
