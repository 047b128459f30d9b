// A macaroon for one tool with a path prefix until a time. Shared secret, no proof of possession; three caveats, because this version
// crashes with four.
import { randomBytes } from 'node:crypto'
import macaroon from 'macaroon'

export async function prepare() {
  const rootKey = randomBytes(32)
  const minted = macaroon.newMacaroon({ version: 2, rootKey, identifier: '@bot', location: 'gateway' })
  minted.addFirstPartyCaveat('tool = fs/read_text_file')
  minted.addFirstPartyCaveat('path ^ /notes/')
  minted.addFirstPartyCaveat(`time < ${Date.now() + 300_000}`)
  const bytes = minted.exportBinary()
  const call = { tool: 'fs/read_text_file', path: '/notes/today.md' }
  const checks = {
    tool: (value) => value === call.tool,
    path: (value) => call.path.startsWith(value),
    time: (value) => Date.now() < Number(value),
  }
  const check = (caveat) => {
    const [name, , value] = caveat.split(' ')
    return checks[name]?.(value) ? null : `refused: ${caveat}`
  }
  return () => macaroon.importMacaroon(bytes).verify(rootKey, check)
}
