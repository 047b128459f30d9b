import { allowed, attack, codeOf } from '../attack.ts'

/** `tail` reads from the other end of the file. No rule names it, so nobody has thought about it. */
export const unnamedArgument = attack({
  name: 'unnamed argument',
  expect: 'ARGUMENT_REFUSED',
  honest: {
    name: 'read_text_file with the two arguments that the rule names',
    run: async ({ client, files }) => void allowed(await client.call('read_text_file', { path: files.note, head: 1 })),
  },
  async run({ client, files }) {
    return { code: codeOf(await client.call('read_text_file', { path: files.note, head: 1, tail: 30 })) }
  },
})
