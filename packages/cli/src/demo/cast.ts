import type { JsonObject, RiskClass } from '@postern/core'

// Who and what plays in the demo organisation. Nothing here exists outside it: no server runs, no money moves.

export interface DemoTool {
  readonly name: string
  readonly description: string
  readonly risk: RiskClass
  /** What a call of it looks like. */
  args(pick: (n: number) => number): JsonObject
}
export interface DemoServer {
  readonly name: string
  readonly tools: readonly DemoTool[]
}
export interface DemoGateway {
  readonly atsign: string
  readonly host: string
  readonly version: string
  readonly tags: readonly string[]
  readonly servers: readonly DemoServer[]
  /** `silent` ones enrolled once and do not come back; `behind` ones never take up the newest statements. */
  readonly mood?: 'silent' | 'behind'
}

const text = (values: readonly string[], pick: (n: number) => number) => values[pick(values.length)]!
const schema = (properties: JsonObject, required: readonly string[]): JsonObject => ({
  type: 'object',
  properties,
  required: [...required],
})

/** The definition that a server of the demo reports, and people pin. */
export const definitionOf = ({ name, description, args }: DemoTool): JsonObject & { readonly name: string } => {
  const example = args(() => 0)
  const properties = Object.fromEntries(Object.entries(example).map(([key, value]) => [key, { type: typeof value }]))
  return { name, description, inputSchema: schema(properties, Object.keys(example)) }
}

const files: DemoServer = {
  name: 'files',
  tools: [
    {
      name: 'read_file',
      description: 'Reads a file.',
      risk: 'read',
      args: (pick) => ({ path: text(['/srv/notes/q4.md', '/srv/notes/plan.md'], pick) }),
    },
    { name: 'list_directory', description: 'Lists a directory.', risk: 'read', args: () => ({ path: '/srv/notes' }) },
    {
      name: 'write_file',
      description: 'Writes a file.',
      risk: 'write',
      args: (pick) => ({ path: '/srv/notes/out.md', content: `draft ${pick(900)}` }),
    },
    { name: 'delete_file', description: 'Deletes a file.', risk: 'destructive', args: () => ({ path: '/srv/notes/old.md' }) },
  ],
}
const bank: DemoServer = {
  name: 'payments',
  tools: [
    { name: 'balance', description: 'Balance of an account.', risk: 'read', args: () => ({ account: 'main' }) },
    {
      name: 'refund',
      description: 'Refunds a payment to a customer.',
      risk: 'financial',
      args: (pick) => ({
        amount: 20 + pick(4_900),
        currency: 'EUR',
        iban: 'DE89370400440532013000',
        customer_id: `c_${10_000 + pick(89_999)}`,
      }),
    },
  ],
}
const jira: DemoServer = {
  name: 'jira',
  tools: [
    {
      name: 'search_issues',
      description: 'Finds issues.',
      risk: 'read',
      args: (pick) => ({ query: text(['sprint 14', 'assignee = me'], pick) }),
    },
    {
      name: 'create_issue',
      description: 'Creates an issue.',
      risk: 'write',
      args: (pick) => ({ project: text(['OPS', 'HR', 'WEB'], pick), title: text(['Flaky deploy', 'Rotate certificates'], pick) }),
    },
  ],
}
const web: DemoServer = {
  name: 'web',
  tools: [
    {
      name: 'fetch_page',
      description: 'Fetches a page.',
      risk: 'external',
      args: (pick) => ({ url: text(['https://example.com', 'https://example.org/news'], pick) }),
    },
  ],
}
const mail: DemoServer = {
  name: 'mail',
  tools: [
    { name: 'search_mail', description: 'Searches the mailbox.', risk: 'read', args: () => ({ query: 'invoice' }) },
    {
      name: 'send_mail',
      description: 'Sends a message.',
      risk: 'external',
      args: (pick) => ({ to: text(['bea@example.com', 'cy@example.com'], pick), subject: 'Report' }),
    },
  ],
}

export const GATEWAYS: readonly DemoGateway[] = [
  { atsign: '@gw-paris', host: 'par-1.example', version: '0.1.0', tags: ['eu', 'prod'], servers: [bank, files] },
  { atsign: '@gw-tokyo', host: 'tyo-1.example', version: '0.1.0', tags: ['apac', 'prod'], servers: [jira, web] },
  { atsign: '@gw-oslo', host: 'osl-2.example', version: '0.0.9', tags: ['eu', 'prod'], servers: [mail], mood: 'behind' },
  { atsign: '@gw-lab', host: 'lab.local', version: '0.0.8', tags: ['lab'], servers: [{ ...web, name: 'lab-web' }], mood: 'silent' },
]

export const PEOPLE = [
  { atsign: '@ana', agents: 40 },
  { atsign: '@bob', agents: 20 },
  { atsign: '@cleo', agents: 10 },
] as const

const CLIENTS = ['claude', 'code', 'cursor', 'vscode', 'codex', 'bot'] as const
/** Names such as `@ana-claude-3`; the owner is the person in front. */
export function agentNames(
  count: number,
): readonly { readonly atsign: string; readonly owner: string; readonly tags: readonly string[] }[] {
  return Array.from({ length: count }, (_, at) => {
    const { atsign: owner } = PEOPLE[at % PEOPLE.length]!
    const client = CLIENTS[Math.floor(at / PEOPLE.length) % CLIENTS.length]!
    const round = Math.floor(at / (PEOPLE.length * CLIENTS.length))
    return { atsign: `${owner}-${client}${round > 0 ? `-${round + 1}` : ''}`, owner, tags: client === 'bot' ? ['ci'] : ['desk'] }
  })
}

/** @param approvers who may approve refunds: grows by whoever joins the demo. */
export const policyOf = (approvers: readonly string[]): JsonObject => ({
  v: 1,
  name: 'main',
  groups: { leads: [...approvers] },
  rules: [
    { id: 'reads', title: 'Anybody may read', who: ['*'], servers: ['*'], tools: ['risk:read'], effect: 'allow' },
    {
      id: 'small-refunds',
      title: 'Small refunds',
      who: ['tag:desk'],
      servers: ['payments'],
      tools: ['refund'],
      when: { amount: { min: 1, max: 50 }, currency: { eq: 'EUR' } },
      unnamed: 'allow',
      effect: 'allow',
      limits: { per_minute: 20 },
    },
    {
      id: 'refunds',
      title: 'Other refunds',
      who: ['tag:desk'],
      servers: ['payments'],
      tools: ['refund'],
      effect: 'ask',
      approvers: ['group:leads'],
    },
    {
      id: 'ops-issues',
      title: 'Issues in OPS and WEB',
      who: ['*'],
      servers: ['jira'],
      tools: ['create_issue'],
      when: { project: { in: ['OPS', 'WEB'] } },
      unnamed: 'allow',
      effect: 'allow',
    },
    {
      id: 'notes',
      who: ['tag:desk'],
      servers: ['files'],
      tools: ['write_file'],
      when: { path: { prefix: '/srv/notes' } },
      unnamed: 'allow',
      effect: 'allow',
    },
    {
      id: 'pages',
      who: ['tag:desk'],
      servers: ['web', 'lab-web'],
      tools: ['fetch_page'],
      when: { url: { host: 'example.com' } },
      effect: 'allow',
    },
  ],
  tests: [
    {
      name: 'HR is never writable',
      who: '@ana-claude',
      server: 'jira',
      tool: 'create_issue',
      args: { project: 'HR', title: 'x' },
      expect: 'deny',
      tags: ['desk'],
      risk: 'write',
    },
    {
      name: 'large refunds ask',
      who: '@ana-claude',
      server: 'payments',
      tool: 'refund',
      args: { amount: 51, currency: 'EUR' },
      expect: 'ask',
      tags: ['desk'],
      risk: 'financial',
    },
  ],
})
