import type { AtSign } from '../key/atsign.ts'

export const POLICY_TEMPLATES = ['deny-all', 'read-only', 'observe'] as const
export type PolicyTemplate = (typeof POLICY_TEMPLATES)[number]

/**
 * A first policy to start from. Each carries tests of what it means, so that an edit that breaks it is noticed.
 * - `deny-all`: nothing is allowed.
 * - `read-only`: tools of risk class read are allowed, everything else asks one of `approvers`.
 * - `observe`: every agent may call every pinned tool; calls only leave receipts.
 * @param approvers At least one; administrators as a rule.
 */
export function policyTemplate(template: PolicyTemplate, approvers: readonly AtSign[]): string {
  return TEXTS[template](approvers)
}

const list = (items: readonly string[]): string => `[${items.map((item) => JSON.stringify(item)).join(', ')}]`
const anybody = '"who": "@any-agent", "tags": [], "server": "any", "tool": "any"'

const TEXTS: { readonly [template in PolicyTemplate]: (approvers: readonly AtSign[]) => string } = {
  'deny-all': () => `{
  "v": 1,
  "name": "main",
  "rules": [],
  "tests": [
    { "name": "nobody reads", ${anybody}, "risk": "read", "expect": "deny" },
    { "name": "nobody writes", ${anybody}, "risk": "write", "expect": "deny" }
  ]
}
`,
  'read-only': (approvers) => `{
  "v": 1,
  "name": "main",
  "groups": { "approvers": ${list(approvers)} },
  "rules": [
    { "id": "reads", "title": "Reading is allowed",
      "who": ["*"], "servers": ["*"], "tools": ["risk:read"], "effect": "allow" },
    { "id": "rest", "title": "Everything else asks a person",
      "who": ["*"], "servers": ["*"],
      "tools": ["risk:write", "risk:external", "risk:destructive", "risk:financial", "risk:credential"],
      "effect": "ask", "approvers": ["group:approvers"] }
  ],
  "tests": [
    { "name": "reading is allowed", ${anybody}, "risk": "read", "expect": "allow", "rule": "reads" },
    { "name": "writing asks", ${anybody}, "risk": "write", "expect": "ask", "rule": "rest" },
    { "name": "paying asks", ${anybody}, "risk": "financial", "expect": "ask", "rule": "rest" }
  ]
}
`,
  observe: () => `{
  "v": 1,
  "name": "main",
  "rules": [
    { "id": "observe", "title": "Everything is allowed; receipts say what was called",
      "who": ["*"], "servers": ["*"], "tools": ["*"], "effect": "allow" }
  ],
  "tests": [
    { "name": "reading is allowed", ${anybody}, "risk": "read", "expect": "allow" },
    { "name": "paying is allowed too: this policy only observes", ${anybody}, "risk": "financial", "expect": "allow" }
  ]
}
`,
}
