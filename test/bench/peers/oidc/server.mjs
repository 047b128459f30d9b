// oidc-provider's token endpoint for one confidential client: node server.mjs <port> <client's public JWK>
// client_credentials, private_key_jwt, DPoP-bound access tokens as EdDSA JWTs, its own in-memory store.
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import Provider from 'oidc-provider'

const port = Number(process.argv[2])
const clientKey = { ...JSON.parse(process.argv[3]), use: 'sig', alg: 'EdDSA' }
const issuer = `http://127.0.0.1:${port}`
const resource = 'https://gateway.example/mcp'
const jwk = { ...generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'EdDSA' }

const provider = new Provider(issuer, {
  jwks: { keys: [jwk] },
  clients: [
    {
      client_id: 'bot',
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: 'EdDSA',
      jwks: { keys: [clientKey] },
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      dpop_bound_access_tokens: true,
      id_token_signed_response_alg: 'EdDSA',
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    dPoP: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => resource,
      getResourceServerInfo: () => ({
        scope: 'fs:read_text_file',
        audience: resource,
        accessTokenTTL: 60,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'EdDSA' } },
      }),
    },
  },
  enabledJWA: {
    clientAuthSigningAlgValues: ['EdDSA', 'Ed25519'],
    dPoPSigningAlgValues: ['EdDSA', 'Ed25519'],
  },
})
provider.on('server_error', (_, error) => console.error(error))
provider.listen(port, '127.0.0.1', () => console.error('ready'))
