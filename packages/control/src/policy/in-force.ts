import type { Policy } from '@postern/core'
import { parsePolicy } from '@postern/core'
import type { Control } from '../context.ts'

const parsed = new WeakMap<Control, { sha256: string; policy: Policy }>()

/** The policy that the log names, parsed; undefined while none was set or nobody has handed in its bytes. */
export async function policyInForce(control: Control): Promise<Policy | undefined> {
  const { state } = control.ledger
  const sha256 = state?.policy?.sha256
  if (!state || !sha256) return undefined
  const known = parsed.get(control)
  if (known?.sha256 === sha256) return known.policy
  const row = await control.db.prisma.policyDocument.findUnique({ where: { org_sha256: { org: state.org, sha256 } } })
  if (!row) return undefined
  const policy = parsePolicy(new Uint8Array(row.bytes))
  parsed.set(control, { sha256, policy })
  return policy
}
