import type { Health, Overview } from '@postern/control'
import { caller } from './_server/caller.ts'

export default async function StatusPage() {
  const status = await readStatus()
  return (
    <main className="mx-auto max-w-2xl px-6 py-12">
      <h1 className="text-2xl font-semibold tracking-tight">Postern</h1>
      <p className="mt-1 text-zinc-600 dark:text-zinc-400">
        The control plane: it carries what others signed, holds no key, and is trusted for nothing.
      </p>
      {status ? <Facts {...status} /> : <Unavailable />}
      <p className="mt-10 border-t border-zinc-200 pt-4 text-sm text-zinc-600 dark:border-zinc-800 dark:text-zinc-400">
        The web console is not built yet; this page only shows that things run. Everything else is done with the command line:{' '}
        <code className="font-mono text-zinc-900 dark:text-zinc-100">npx postern --help</code>. The API describes itself in{' '}
        <a className="underline underline-offset-2" href="/api/v1/openapi.json">
          /api/v1/openapi.json
        </a>
        .
      </p>
    </main>
  )
}

/** Undefined when the database cannot be opened or does not answer; the reason is at /api/health. */
async function readStatus(): Promise<{ health: Health; overview: Overview } | undefined> {
  try {
    const { status } = await caller()
    return { health: await status.health(), overview: await status.overview() }
  } catch {
    return undefined
  }
}

function Facts({ health, overview }: { health: Health; overview: Overview }) {
  const { organisation, head, gateways, agents, people, policy } = overview
  return (
    <dl className="mt-8 grid grid-cols-[max-content_1fr] gap-x-8 gap-y-3">
      <Fact term="Organisation">
        {organisation ? <b>{organisation.name}</b> : 'none yet: npm start prints the command that founds one'}
      </Fact>
      {organisation && <Fact term="Its id">{<Mono>{organisation.org}</Mono>}</Fact>}
      {head && <Fact term="Authority log">{`${head.seq + 1} ${head.seq === 0 ? 'statement' : 'statements'}`}</Fact>}
      {organisation && <Fact term="Policy">{policy ? policy.name : 'none signed yet: nothing is allowed'}</Fact>}
      {organisation && <Fact term="Gateways">{`${gateways.enrolled} enrolled, ${gateways.online} connected`}</Fact>}
      {organisation && <Fact term="Agents">{`${agents.enrolled} enrolled, ${agents.online} connected`}</Fact>}
      {organisation && <Fact term="People">{`${people} enrolled`}</Fact>}
      <Fact term="Health">{health.status === 'ok' ? '● ok' : `! ${health.status}: ${health.message}`}</Fact>
      <Fact term="Database">{health.database === 'pglite' ? 'embedded (PGlite; not safe against power loss)' : 'PostgreSQL'}</Fact>
      <Fact term="Version">{health.version}</Fact>
    </dl>
  )
}

function Fact({ term, children }: { term: string; children: React.ReactNode }) {
  return (
    <>
      <dt className="text-zinc-600 dark:text-zinc-400">{term}</dt>
      <dd className="min-w-0 break-words">{children}</dd>
    </>
  )
}

function Mono({ children }: { children: React.ReactNode }) {
  return <code className="font-mono text-sm break-all">{children}</code>
}

function Unavailable() {
  return (
    <p role="alert" className="mt-8 rounded border border-amber-500 p-4">
      ! The database does not answer. It is tried again by itself; the reason is at{' '}
      <a className="underline underline-offset-2" href="/api/health">
        /api/health
      </a>
      .
    </p>
  )
}
