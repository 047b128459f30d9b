import type { Grant } from '@postern/core'
import type { Authority } from '../authorise/candidate.ts'
import type { GrantUses } from '../authorise/uses.ts'

/** A grant as it is reported: what its receipts would show, and when it ends. No conditions, no arguments, no intent. */
export interface ReportedGrant {
  /** Token hash, `gth` of receipts. */
  readonly gth: string
  readonly agent: string
  readonly tools: readonly { readonly server: string; readonly tool: string; readonly rule?: string }[]
  /** Unix seconds. */
  readonly iat: number
  readonly exp: number
  readonly max?: number
  /** Calls that were let through. */
  readonly used: number
}

/** Grants this run has given that can still be used, for people to see what power is out. Nothing is decided by it. */
export interface GrantsOut {
  /** @param rules The rule for each of its details, in their order, where one permits it. */
  add(hash: string, grant: Grant, rules: readonly (string | undefined)[]): void
  /** The newest that may still be used: in time, of this run and policy, not revoked. */
  report(now: number): readonly ReportedGrant[]
  /** Grows with every grant given and every use, so that a report is sent when there is news. */
  readonly changes: number
}

interface Out {
  readonly hash: string
  readonly grant: Grant
  readonly rules: readonly (string | undefined)[]
}

export interface GrantsOutParts {
  readonly epoch: () => string
  readonly authority: Pick<Authority, 'policy' | 'isGrantRevoked'>
  readonly uses: Pick<GrantUses, 'get'>
  /** How many are remembered and reported; older ones are left out, and end within minutes. */
  readonly max?: number
}

export function createGrantsOut({ epoch, authority, uses, max = 512 }: GrantsOutParts): GrantsOut {
  const out = new Map<string, Out>()
  let given = 0

  const isUsable = ({ hash, grant }: Out, now: number) =>
    grant.exp > now && grant.epoch === epoch() && grant.pol === authority.policy?.digest && !authority.isGrantRevoked(hash, now)
  const shown = ({ hash, grant, rules }: Out): ReportedGrant => ({
    ...{ gth: hash, agent: grant.sub, iat: grant.nbf, exp: grant.exp, used: uses.get(hash)?.started ?? 0 },
    ...(grant.max === undefined ? {} : { max: grant.max }),
    tools: grant.authorization_details.map(({ server, tool }, i) => ({
      server,
      tool,
      ...(rules[i] === undefined ? {} : { rule: rules[i] }),
    })),
  })
  return {
    add(hash, grant, rules) {
      out.set(hash, { hash, grant, rules })
      given += 1
      const oldest = out.keys().next().value
      if (out.size > max && oldest !== undefined) out.delete(oldest)
    },
    report(now) {
      for (const one of out.values()) if (!isUsable(one, now)) out.delete(one.hash)
      return [...out.values()].map(shown)
    },
    get changes() {
      let used = 0
      for (const { hash } of out.values()) used += uses.get(hash)?.started ?? 0
      return given + used
    },
  }
}
