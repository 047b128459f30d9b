import type { Kind } from './kind.ts'
import type { AdminAddBody } from './kinds/admin-add.ts'
import { adminAdd } from './kinds/admin-add.ts'
import type { AdminRemoveBody } from './kinds/admin-remove.ts'
import { adminRemove } from './kinds/admin-remove.ts'
import type { AgentEnrollBody } from './kinds/agent-enroll.ts'
import { agentEnroll } from './kinds/agent-enroll.ts'
import type { GatewayEnrollBody } from './kinds/gateway-enroll.ts'
import { gatewayEnroll } from './kinds/gateway-enroll.ts'
import type { IdentityRotateBody } from './kinds/identity-rotate.ts'
import { identityRotate } from './kinds/identity-rotate.ts'
import type { InviteBody } from './kinds/invite.ts'
import { invite } from './kinds/invite.ts'
import type { PersonEnrollBody } from './kinds/person-enroll.ts'
import { personEnroll } from './kinds/person-enroll.ts'
import type { PolicySetBody } from './kinds/policy-set.ts'
import { policySet } from './kinds/policy-set.ts'
import type { RecoverySetBody } from './kinds/recovery-set.ts'
import { recoverySet } from './kinds/recovery-set.ts'
import type { RecoveryUseBody } from './kinds/recovery-use.ts'
import { recoveryUse } from './kinds/recovery-use.ts'
import type { ReleaseBody } from './kinds/release.ts'
import { release } from './kinds/release.ts'
import type { ServerPinBody } from './kinds/server-pin.ts'
import { serverPin } from './kinds/server-pin.ts'
import type { SignerSetBody } from './kinds/signer-set.ts'
import { signerSet } from './kinds/signer-set.ts'
import type { ThresholdSetBody } from './kinds/threshold-set.ts'
import { thresholdSet } from './kinds/threshold-set.ts'

/** Body of each operation but `genesis`, which founds the state the others change (`kinds/genesis.ts`). */
export interface Bodies {
  'admin.add': AdminAddBody
  'admin.remove': AdminRemoveBody
  'threshold.set': ThresholdSetBody
  'signer.set': SignerSetBody
  'recovery.set': RecoverySetBody
  'recovery.use': RecoveryUseBody
  'gateway.enroll': GatewayEnrollBody
  'person.enroll': PersonEnrollBody
  'agent.enroll': AgentEnrollBody
  invite: InviteBody
  release: ReleaseBody
  'server.pin': ServerPinBody
  'policy.set': PolicySetBody
  'identity.rotate': IdentityRotateBody
}
/** Operations that follow genesis. */
export type ChainOp = keyof Bodies
export type Op = 'genesis' | ChainOp

/** Every kind of statement. A new one is a file in `kinds/`, a body above and a row here. */
export const KINDS: { readonly [op in ChainOp]: Kind<Bodies[op]> } = {
  'admin.add': adminAdd,
  'admin.remove': adminRemove,
  'threshold.set': thresholdSet,
  'signer.set': signerSet,
  'recovery.set': recoverySet,
  'recovery.use': recoveryUse,
  'gateway.enroll': gatewayEnroll,
  'person.enroll': personEnroll,
  'agent.enroll': agentEnroll,
  invite,
  release,
  'server.pin': serverPin,
  'policy.set': policySet,
  'identity.rotate': identityRotate,
}

/** `op` comes from outside: looked up by own properties only. */
export const isChainOp = (op: string): op is ChainOp => Object.hasOwn(KINDS, op)
