// A biscuit that allows one tool with a path prefix until a time, and a signature by the holder's key over this very call.
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { AuthorizerBuilder, Biscuit, KeyPair, SignatureAlgorithm } from '@biscuit-auth/biscuit-wasm'

/** @param isBearer Without the proof of possession: whoever has the token may call. */
async function prepareBiscuit(count, isBearer) {
  const root = new KeyPair(SignatureAlgorithm.Ed25519)
  const holder = generateKeyPairSync('ed25519')
  const builder = Biscuit.builder()
  const until = new Date(Date.now() + 300_000).toISOString().replace(/\.\d+Z$/, 'Z')
  builder.addCode(`
    agent("@bot"); right("fs", "read_text_file");
    check if time($time), $time < ${until};
    check if path($path), $path.starts_with("/notes/");
  `)
  const token = builder.build(root.getPrivateKey()).toBytes()
  const rootKey = root.getPublicKey()
  const requests = Array.from({ length: count }, (_, n) => {
    const message = Buffer.from(
      JSON.stringify({ token: 'the biscuit', n, params: { name: 'read_text_file', arguments: { path: '/notes/today.md' } } }),
    )
    return { message, signature: sign(null, message, holder.privateKey) }
  })
  const limits = { max_time_micro: 1_000_000 }

  return (i) => {
    const { message, signature } = requests[i]
    const biscuit = Biscuit.fromBytes(token, rootKey)
    const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
    const rules = new AuthorizerBuilder()
    rules.addCode(`time(${now}); server("fs"); tool("read_text_file"); path("/notes/today.md");
      allow if server($s), tool($t), right($s, $t);`)
    const authorizer = rules.buildAuthenticated(biscuit)
    authorizer.authorizeWithLimits(limits)
    authorizer.free()
    biscuit.free()
    if (!isBearer && !verify(null, message, holder.publicKey, signature)) throw new Error('not the holder')
  }
}

export const prepare = (count) => prepareBiscuit(count, false)
export const prepareBearer = (count) => prepareBiscuit(count, true)
