import type { Shape } from '../../bytes/shape.ts'
import { digest, object, text } from '../../bytes/shape.ts'
import type { Kind } from '../kind.ts'
import { quoted } from '../wording.ts'

export type PolicySetBody = { readonly sha256: string; readonly name: string }
const body: Shape<PolicySetBody> = object({ sha256: digest, name: text(64, 1) })

/** The policy in force, by the digest of its exact bytes. Gateways enforce it once they hold those bytes; until then they refuse. */
export const policySet: Kind<PolicySetBody> = {
  title: 'Put a policy in force',
  body,
  classOf: () => 'sensitive',
  describe: ({ sha256, name }, _, state) => [
    `The policy ${quoted(name)} with SHA-256 ${sha256} comes into force at every gateway.`,
    ...(state
      ? [state.policy ? `It replaces ${quoted(state.policy.name)} with SHA-256 ${state.policy.sha256}.` : 'It is the first policy.']
      : []),
    'Read the policy itself before you sign: these sentences know only its digest.',
  ],
  apply: (state, { seq, body: { sha256, name } }) => ({ state: { ...state, policy: { sha256, name, seq } } }),
}
