import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { decodeBase64url } from '@postern/core'
import { allowed, attack, must } from '../attack.ts'
import { Haystack, Needles, needlesOf } from '../proc/needles.ts'

/** Whoever runs the relay keeps every frame and looks for a secret that travelled as an argument, and came back as a result. */
export const relayTraffic = attack({
  name: 'relay operator reading traffic',
  expect: 'NOTHING_READABLE',
  honest: {
    name: 'write_file and read_text_file with a planted secret',
    async run({ client, files }) {
      const secret = randomBytes(24).toString('base64url')
      const path = join(files.notes, 'secret.md')
      allowed(await client.call('write_file', { path, content: `the secret is ${secret}\n` }))
      must(allowed(await client.call('read_text_file', { path, head: 1 })).text.includes(secret), 'the secret did not come back')
      return secret
    },
  },
  async run({ tap, gateways, agents }, secret) {
    const addresses = [gateways.fs.keys.auth.kid, agents.honest.keys.auth.kid].flatMap((kid) => needlesOf('address', decodeBase64url(kid)))
    const haystack = new Haystack(new Needles([...needlesOf('secret', secret), ...addresses]))
    for (const { bytes } of tap.captured) haystack.add(bytes)
    const found = new Set([...haystack.found].map(({ name }) => name))
    must(found.has('address'), 'the search does not even find the addresses, which are no secret')
    return {
      code: found.has('secret') ? 'ALLOWED' : 'NOTHING_READABLE',
      note: `${tap.captured.length} frames, ${Math.round(haystack.bytes / 1024)} KiB; only addresses found`,
    }
  },
})
