import type { Infer } from '../bytes/shape.ts'
import { RISK_CLASSES } from '../statement/names.ts'
import type { documentShape, staleShape, testShape } from './parse.ts'
import type { BeyondFields, limitsShape, RuleFields } from './rule-shape.ts'

/** What an editor says about a field of the document. A field that the shapes know and this file does not fails to compile. */
export interface FieldHelp {
  readonly help: string
  /** JSON that is put in as its value. */
  readonly insert: string
  /** The only values there are. */
  readonly values?: readonly string[]
  /** What a value, or an item of its list, names. */
  readonly names?: 'who' | 'approver' | 'agent' | 'person' | 'server' | 'tool' | 'tag' | 'rule'
}
type Help<Fields> = { readonly [field in keyof Required<Fields>]: FieldHelp }

const EFFECTS = ['allow', 'ask', 'deny']
const rule: Help<RuleFields> = {
  id: { help: 'Unique; named in decisions and receipts.', insert: '""' },
  title: { help: 'For people; decides nothing.', insert: '""' },
  who: { help: 'The calling agent is any of these: an atSign, tag:…, group:…, or * for any agent.', insert: '[""]', names: 'who' },
  servers: { help: 'Names of MCP servers, or * for any.', insert: '["*"]', names: 'server' },
  tools: { help: 'Exact names of tools, risk:<class> as pinned, or * for any.', insert: '[""]', names: 'tool' },
  effect: { help: 'Deny wins over ask, ask over allow; nothing matches = deny.', insert: '"allow"', values: EFFECTS },
  when: { help: 'Argument → conditions; all must hold. Left out: any arguments.', insert: '{ "": {} }' },
  unnamed: { help: 'Whether arguments that when does not name may be there. Default: deny.', insert: '"allow"', values: ['allow', 'deny'] },
  limits: { help: 'How long and how often; counted by each gateway for itself.', insert: '{ "per_minute": 60 }' },
  approvers: { help: 'Who may approve a call that asks: atSigns and groups, never tags.', insert: '[""]', names: 'approver' },
  owner_may_approve: { help: 'Adds the owner of the calling agent to those who may approve.', insert: 'true', values: ['true', 'false'] },
  wait_seconds: { help: 'How long a call waits for an approval before it is refused: 10–900, default 300.', insert: '300' },
  off: { help: 'Switched off: checked like any rule, but does not count.', insert: 'true', values: ['true', 'false'] },
  flow: { help: 'Reserved. A gateway without this step refuses the call.', insert: '"ask"', values: ['ask', 'deny'] },
  output: {
    help: 'What becomes of a result with secrets: they are taken out, or it is withheld.',
    insert: '"redact"',
    values: ['redact', 'refuse'],
  },
}

const test: Help<Infer<typeof testShape>> = {
  name: { help: 'A sentence that says what must hold. Unique.', insert: '""' },
  who: { help: 'The calling agent.', insert: '""', names: 'agent' },
  server: { help: 'Name of the MCP server.', insert: '""', names: 'server' },
  tool: { help: 'Exact name of the tool.', insert: '""', names: 'tool' },
  args: { help: 'Arguments of the call; left out they count as {}.', insert: '{}' },
  expect: { help: 'What the call must come to.', insert: '"deny"', values: EFFECTS },
  rule: { help: 'The rule that must decide.', insert: '""', names: 'rule' },
  tags: { help: 'Tags assumed for this test instead of the enrolled ones.', insert: '[]', names: 'tag' },
  owner: { help: 'Owner assumed for this test instead of the enrolled one.', insert: '""', names: 'person' },
  risk: { help: 'Risk class assumed for this test instead of the pinned one.', insert: '"read"', values: RISK_CLASSES },
}

const limits: Help<Infer<typeof limitsShape>> = {
  ttl_seconds: { help: 'Lifetime of a grant: 1–600, default 60.', insert: '60' },
  calls: { help: 'Calls under one grant.', insert: '10' },
  per_minute: { help: 'Calls of one agent under this rule within 60 s, across grants.', insert: '60' },
  sums: { help: 'Not in this version: a rule with it permits nothing.', insert: '{}' },
}

const stale: Help<Infer<typeof staleShape>> = {
  effects: { help: 'Seconds without news after which a gateway stops everything but reading: 10–86,400, default 300.', insert: '300' },
  reads: { help: 'Seconds without news after which a gateway stops reading too: 10–86,400, default 3600.', insert: '3600' },
}

const beyond: Help<BeyondFields> = {
  who: rule.who,
  servers: rule.servers,
  resources: { help: 'Addresses, each with what lies below it by whole segments, or * for any.', insert: '["*"]' },
  prompts: { help: 'Exact names of prompts, or * for any.', insert: '["*"]' },
  methods: { help: 'Exact names of further methods, such as tasks/get.', insert: '[""]' },
}

const document: Help<Infer<typeof documentShape>> = {
  v: { help: 'Always 1.', insert: '1' },
  name: { help: 'Name of the policy.', insert: '"main"' },
  groups: { help: 'Name → atSigns; groups do not nest.', insert: '{}' },
  rules: { help: 'What agents may call. None = everything is denied.', insert: '[]' },
  tests: { help: 'What single calls must come to. Run before signing; decide nothing.', insert: '[]' },
  stale_seconds: { help: 'How long after its last complete sync a gateway still serves.', insert: '{ "effects": 300 }' },
  beyond_tools: { help: 'Resources, prompts and further methods that agents may use; what is not named is denied.', insert: '[]' },
  labels: { help: 'Reserved for flow rules; read and checked, without effect.', insert: '{ "trusted": [] }' },
}

/** By the path of the object that has the fields; `[]` is any item of a list. */
export const POLICY_FIELDS: Readonly<Record<string, Readonly<Record<string, FieldHelp>>>> = {
  '': document,
  'rules[]': rule,
  'rules[].limits': limits,
  'tests[]': test,
  'beyond_tools[]': beyond,
  stale_seconds: stale,
}
