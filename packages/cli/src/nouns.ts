import type { Command } from 'commander'

/** One line of `postern --help`, and where its commands are. Loaded for every start, so nothing heavy stands here. */
export interface Noun {
  readonly name: string
  /** Verbs as the overview shows them; a test compares them with what the module registers. */
  readonly verbs: readonly string[]
  readonly summary: string
  readonly load: () => Promise<{ register(program: Command): void }>
}

const noun = (name: string, verbs: string, summary: string, load: Noun['load']): Noun => ({
  name,
  verbs: verbs ? verbs.split(' ') : [],
  summary,
  load,
})

const up = () => import('./commands/up.ts')
const genesis = () => import('./commands/genesis.ts')
const session = () => import('./commands/session.ts')
const decide = () => import('./commands/pending.ts')

/** Every command, grouped by what people want to do. */
export const GROUPS: readonly (readonly [string, readonly Noun[]])[] = [
  [
    'Start',
    [
      noun('up', '', 'run Postern on this machine: control plane, signer and relay', up),
      noun('genesis', 'link', 'found an organisation and become its first administrator', genesis),
      noun('login', '', 'sign in: 12 hours for a session key of this machine', session),
      noun('logout', '', 'end this session', session),
      noun('whoami', '', 'who is signed in, and until when', session),
      noun('status', '', 'the organisation at a glance', () => import('./commands/status.ts')),
      noun('open', '', 'the console in the browser', () => import('./commands/open.ts')),
      noun('doctor', '', 'check this machine; each finding names its fix', () => import('./commands/doctor.ts')),
    ],
  ],
  [
    'Fleet',
    [
      noun('code', 'new list void', 'one-time enrolment codes and their join strings', () => import('./commands/code.ts')),
      noun('invite', 'new list void', 'fleet tokens: machines enrol without waiting for anybody', () => import('./commands/invite.ts')),
      noun('people', 'invite enroll list revoke', 'persons and administrators', () => import('./commands/people.ts')),
      noun(
        'gateway',
        'enroll run list show apply suspend release revoke',
        'enforcement beside MCP servers',
        () => import('./commands/gateway.ts'),
      ),
      noun('server', 'add list remove', "MCP servers behind this machine's gateway", () => import('./commands/server.ts')),
      noun('agent', 'enroll list show suspend release revoke', 'programs that call tools', () => import('./commands/agent.ts')),
      noun('tools', 'list pin', 'what servers offer, and what may be called', () => import('./commands/tools.ts')),
      noun('connector', 'run', 'the local MCP server that a client starts', () => import('./commands/connector.ts')),
      noun(
        'client',
        'list add remove verify print',
        'MCP clients of this machine: Claude Desktop, Claude Code, VS Code, Cursor, Codex',
        () => import('./commands/client.ts'),
      ),
    ],
  ],
  [
    'Decide',
    [
      noun('pending', '', 'enrolments and statements that want a signature', decide),
      noun('inbox', '', 'what needs you now: calls to approve, and enrolments', () => import('./commands/inbox.ts')),
      noun('watch', '', 'the same as it happens', () => import('./commands/inbox.ts')),
      noun('approve', '', 'approve a call that waits, or sign an enrolment after comparing its words', decide),
      noun('sign', '', 'sign a statement that wants more signatures', decide),
      noun('refuse', '', 'turn down a call that waits, an enrolment or a statement', decide),
      noun('signer', 'hashes', 'serve the page where passkeys sign', () => import('./commands/signer.ts')),
    ],
  ],
  [
    'Access',
    [
      noun('policy', 'show edit lint test try plan sign rollout history restore', 'the signed rules', () => import('./commands/policy.ts')),
      noun('grant', 'request list revoke', 'short-lived permissions', () => import('./commands/grant.ts')),
      noun('call', '', 'call a tool as an agent', () => import('./commands/call.ts')),
    ],
  ],
  ['Watch', [noun('audit', 'show verify export', 'statements and receipts, verified here', () => import('./commands/audit.ts'))]],
  [
    'Admin',
    [
      noun('org', 'show', 'the organisation that this machine pinned', () => import('./commands/org.ts')),
      noun('completion', '', 'completes commands and live names in bash, zsh, fish and pwsh', () => import('./commands/completion.ts')),
      noun('version', '', 'versions of Postern and Node', () => import('./commands/version.ts')),
    ],
  ],
]

export const NOUNS: readonly Noun[] = GROUPS.flatMap(([, nouns]) => nouns)
export const findNoun = (name: string): Noun | undefined => NOUNS.find((candidate) => candidate.name === name)
