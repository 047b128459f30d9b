// Every attack of the tour, in an order in which those that make edges distrust the control plane come last.
import type { Attack } from './attack.ts'
import { argumentOutsideRange } from './attacks/argument-outside-range.ts'
import { argumentsChanged } from './attacks/arguments-changed.ts'
import { controlPlaneKeys } from './attacks/control-plane-keys.ts'
import { enrolmentInDatabase } from './attacks/enrolment-in-database.ts'
import { expiredGrant } from './attacks/expired-grant.ts'
import { foreignGrant } from './attacks/foreign-grant.ts'
import { frameChanged } from './attacks/frame-changed.ts'
import { gatewaySockets } from './attacks/gateway-sockets.ts'
import { logForked } from './attacks/log-forked.ts'
import { logRolledBack } from './attacks/log-rolled-back.ts'
import { mintedGrant } from './attacks/minted-grant.ts'
import { pathTraversal } from './attacks/path-traversal.ts'
import { policyInDatabase } from './attacks/policy-in-database.ts'
import { relayTraffic } from './attacks/relay-traffic.ts'
import { replayedCall } from './attacks/replayed-call.ts'
import { revokedAgent } from './attacks/revoked-agent.ts'
import { toolOutsideGrant } from './attacks/tool-outside-grant.ts'
import { toolRedefined } from './attacks/tool-redefined.ts'
import { unknownStatement } from './attacks/unknown-statement.ts'
import { unnamedArgument } from './attacks/unnamed-argument.ts'

export interface Act {
  readonly title: string
  readonly attacks: readonly Attack[]
}

export const acts: readonly Act[] = [
  { title: 'An agent that was talked into something', attacks: [argumentOutsideRange, pathTraversal, unnamedArgument, toolOutsideGrant] },
  { title: 'A server that changed its mind', attacks: [toolRedefined] },
  { title: 'A thief of grants and messages', attacks: [expiredGrant, replayedCall, argumentsChanged, foreignGrant] },
  { title: 'Whoever runs the relay', attacks: [relayTraffic, frameChanged] },
  { title: 'A port scanner, and a burglar in the data centre', attacks: [gatewaySockets, controlPlaneKeys] },
  { title: 'An agent whose time is over', attacks: [revokedAgent] },
  {
    title: 'A control plane that cheats',
    attacks: [mintedGrant, enrolmentInDatabase, policyInDatabase, logRolledBack, logForked, unknownStatement],
  },
]

export const attacks: readonly Attack[] = acts.flatMap((act) => act.attacks)
