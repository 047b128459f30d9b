import type { AtSign, Policy } from '@postern/core'
import {
  addRuleFor,
  adminsOf,
  changedRules,
  decodeUtf8,
  parsePolicy,
  policyDigest,
  policyFacts,
  policyTemplate,
  runPolicyTests,
  untestedRules,
  utf8,
  VerifyError,
} from '@postern/core'
import type { z } from 'zod'
import { MAX_POLICY_BYTES } from '../authority/schema.ts'
import type { Context } from '../context.ts'
import { actorOf } from '../context.ts'
import type { PolicyDraft } from '../db/generated/client.ts'
import type { Transaction } from '../db/open.ts'
import { ControlError } from '../errors.ts'
import { draftRequest } from '../requests/draft.ts'
import { signerUrl } from '../requests/signer-url.ts'
import { dateOf, secondsOf } from '../time.ts'
import type { openInput, saveInput } from './schema.ts'
import { findDocument, getPolicy } from './service.ts'
import { findVersion } from './versions.ts'

/** Who touched a draft within this time has it open. Browsers say so three times as often. */
export const EDITING_SECONDS = 45

export interface DraftFacts {
  readonly name: string
  readonly base?: string
  readonly revision: number
  readonly created_by: string
  readonly updated_by: string
  readonly updated_at: number
  /** Everybody who has it open, the one who asks included. */
  readonly editors: readonly string[]
}
export type Draft = DraftFacts & { readonly text: string }

type Editors = { readonly [atsign: string]: number }
const editorsOf = ({ editors }: Pick<PolicyDraft, 'editors'>, now: number): string[] =>
  Object.entries(editors as Editors)
    .filter(([, at]) => at > now - EDITING_SECONDS)
    .map(([atsign]) => atsign)
    .sort()

const factsOf = (row: PolicyDraft, now: number): DraftFacts => ({
  ...{ name: row.name, revision: row.revision, created_by: row.createdBy, updated_by: row.updatedBy, updated_at: secondsOf(row.updatedAt) },
  ...(row.base === null ? {} : { base: row.base }),
  editors: editorsOf(row, now),
})
const shown = (row: PolicyDraft, now: number): Draft => ({ ...factsOf(row, now), text: row.text })

export async function listDrafts(context: Context): Promise<readonly DraftFacts[]> {
  const { org } = actorOf(context)
  const { control } = context
  const rows = await control.db.prisma.policyDraft.findMany({ where: { org }, orderBy: { updatedAt: 'desc' } })
  return rows.map((row) => factsOf(row, control.now()))
}

/** Null when there is none of this name. */
export async function readDraft(context: Context, name: string): Promise<Draft | null> {
  const { org } = actorOf(context)
  const { control } = context
  const row = await control.db.prisma.policyDraft.findUnique({ where: { org_name: { org, name } } })
  return row && shown(row, control.now())
}

/**
 * Begins a draft from a version of the log, from a template, or from the policy in force with a rule for the agent and tool of a receipt
 * (which a draft that exists is given too). A draft is not written over unless `replace` names the revision that its caller saw.
 * @throws {ControlError} CONFLICT with what is there; NOT_FOUND, POLICY_MISSING
 */
export async function openDraft(context: Context, { name, from, replace }: z.output<typeof openInput>): Promise<Draft> {
  const { org, atsign } = actorOf(context)
  const { control } = context
  const before = await control.db.prisma.policyDraft.findUnique({ where: { org_name: { org, name } } })
  if (from.kind === 'receipt' && before && replace === undefined) {
    return saveDraft(context, { name, revision: before.revision, text: await withRuleFor(context, from.id, before.text) })
  }
  const text = await beginning(context, from)
  const base = control.ledger.state?.policy?.sha256 ?? null
  return control.db.prisma.$transaction(async (tx) => {
    const row = await lockDraft(tx, org, name)
    const now = control.now()
    if (row && row.revision !== replace) throw conflict(row)
    const by = { updatedBy: atsign, updatedAt: dateOf(now) }
    const data = { text, base, revision: (row?.revision ?? 0) + 1, editors: { ...(row?.editors as object), [atsign]: now }, ...by }
    const made = row
      ? await tx.policyDraft.update({ where: { org_name: { org, name } }, data })
      : await tx.policyDraft.create({ data: { ...data, org, name, createdBy: atsign, createdAt: dateOf(now) } })
    await tell(context, tx, made)
    return shown(made, now)
  })
}

async function beginning(context: Context, from: z.output<typeof openInput>['from']): Promise<string> {
  const { state } = context.control.ledger
  if (from.kind === 'version') return textOf(context, (await findVersion(context, from.seq)).sha256)
  if (from.kind === 'template') {
    return policyTemplate(
      from.template,
      adminsOf(state!).map((admin) => admin.atsign),
    )
  }
  const current = state?.policy ? await textOf(context, state.policy.sha256) : policyTemplate('deny-all', [])
  return withRuleFor(context, from.id, current)
}

async function textOf(context: Context, sha256: string): Promise<string> {
  return decodeUtf8(await getPolicy(context, sha256))
}

/** @throws {ControlError} NOT_FOUND; CONFLICT when the text has no list of rules to add to */
async function withRuleFor(context: Context, receipt: number, text: string): Promise<string> {
  const { org } = actorOf(context)
  const row = await context.control.db.prisma.receipt.findFirst({ where: { id: BigInt(receipt), org } })
  if (!row) throw new ControlError('NOT_FOUND', 'no such receipt')
  const { agent, server, tool, startedAt } = row
  if (tool === null) throw new ControlError('NOT_FOUND', 'this call named no tool, so there is nothing to write a rule for')
  const date = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' }).format(startedAt)
  const added = addRuleFor(text, { agent, server, tool }, date)
  if (added) return added.text
  throw new ControlError('CONFLICT', 'the draft cannot be read as it stands, so no rule was added', { fix: 'repair or discard the draft' })
}

/**
 * Keeps what somebody has written, whatever it is: only signing asks that it be a policy.
 * @throws {ControlError} CONFLICT when `revision` is not the one that is kept: it names who saved since, and carries their text, so that
 *   the two can be merged over the text which both began from
 */
export async function saveDraft(context: Context, { name, revision, text }: z.output<typeof saveInput>): Promise<Draft> {
  const { org, atsign } = actorOf(context)
  const { control } = context
  if (!text.isWellFormed()) throw new VerifyError('MALFORMED', 'the text is not well-formed Unicode')
  if (utf8(text).length > MAX_POLICY_BYTES) throw new ControlError('TOO_LARGE', `a policy has at most ${MAX_POLICY_BYTES} bytes`)
  return control.db.prisma.$transaction(async (tx) => {
    const row = await lockDraft(tx, org, name)
    if (!row) throw new ControlError('NOT_FOUND', `there is no draft ${name}: it was discarded or signed`)
    const now = control.now()
    if (row.text === text) return shown(row, now)
    if (row.revision !== revision) throw conflict(row)
    const editors = { ...(row.editors as object), [atsign]: now }
    const data = { text, revision: revision + 1, editors, updatedBy: atsign, updatedAt: dateOf(now) }
    const saved = await tx.policyDraft.update({ where: { org_name: { org, name } }, data })
    await tell(context, tx, saved)
    return shown(saved, now)
  })
}

/** Says that somebody has it open. Others are told when that is new. @throws {ControlError} NOT_FOUND */
export async function touchDraft(context: Context, name: string): Promise<{ editors: readonly string[] }> {
  const { org, atsign } = actorOf(context)
  const { control } = context
  return control.db.prisma.$transaction(async (tx) => {
    const row = await lockDraft(tx, org, name)
    if (!row) throw new ControlError('NOT_FOUND', `there is no draft ${name}: it was discarded or signed`)
    const now = control.now()
    const isNew = !editorsOf(row, now).includes(atsign)
    const editors = { ...Object.fromEntries(editorsOf(row, now).map((other) => [other, (row.editors as Editors)[other]!])), [atsign]: now }
    const touched = await tx.policyDraft.update({ where: { org_name: { org, name } }, data: { editors } })
    if (isNew) await tell(context, tx, touched)
    return { editors: editorsOf(touched, now) }
  })
}

/** @throws {ControlError} CONFLICT when somebody saved since */
export async function discardDraft(context: Context, name: string, revision: number): Promise<{ ok: true }> {
  const { org, atsign } = actorOf(context)
  const { control } = context
  await control.db.prisma.$transaction(async (tx) => {
    const row = await lockDraft(tx, org, name)
    if (!row) return
    if (row.revision !== revision) throw conflict(row)
    await tx.policyDraft.delete({ where: { org_name: { org, name } } })
    await control.bus.publish(tx, { org, kind: 'draft', data: { name, gone: true, by: atsign } }, control.now())
  })
  return { ok: true }
}

/**
 * Drafts the `policy.set` of exactly this revision; its bytes go along. The draft stays until the log names them.
 * @returns also the rules that differ from the policy in force and that no test was decided by
 * @throws {ControlError} CONFLICT, NOT_FOUND; CHECKS_FAILED while a test fails
 * @throws {VerifyError} what `parsePolicy` finds
 */
export async function signDraft(context: Context, name: string, revision: number) {
  const { org } = actorOf(context)
  const { control } = context
  const row = await control.db.prisma.policyDraft.findUnique({ where: { org_name: { org, name } } })
  if (!row) throw new ControlError('NOT_FOUND', `there is no draft ${name}`)
  if (row.revision !== revision) throw conflict(row)
  const bytes = utf8(row.text)
  const policy = parsePolicy(bytes)
  const results = runTests(context, policy)
  const failed = results.find(({ ok }) => !ok)
  if (failed) throw new ControlError('CHECKS_FAILED', `test "${failed.name}" (line ${failed.line}) fails: ${failed.reason}`)
  const sha256 = policyDigest(bytes)
  const current = control.ledger.state?.policy?.sha256
  if (current === sha256) throw new ControlError('ALREADY_DECIDED', 'exactly this policy is in force already')
  const draft = await draftRequest(context, { op: 'policy.set', body: { sha256, name: policy.name }, policy: bytes })
  const before = current === undefined ? undefined : await findDocument(control.db.prisma, org, current)
  const changed = changedRules(before, bytes).filter(({ kind, isOff }) => kind !== 'gone' && !isOff)
  const untested = untestedRules(changed, results).map(({ id }) => id)
  return { id: draft.id, url: signerUrl(context, draft, '/policies'), sha256, untested }
}

function runTests({ control }: Context, policy: Policy) {
  const { agents, tools } = policyFacts(control.ledger.state!)
  const byName = new Map<AtSign, (typeof agents)[number]>(agents.map((agent) => [agent.atsign, agent]))
  const risks = new Map(tools.map(({ server, tool, risk }) => [`${server}\n${tool}`, risk]))
  return runPolicyTests(
    policy,
    (atsign) => byName.get(atsign),
    (server, tool) => risks.get(`${server}\n${tool}`),
  )
}

/** Whoever saves waits for whoever is saving. */
async function lockDraft(tx: Transaction, org: string, name: string): Promise<PolicyDraft | null> {
  await tx.$executeRaw`SELECT 1 FROM policy_drafts WHERE org = ${org} AND name = ${name} FOR UPDATE`
  return tx.policyDraft.findUnique({ where: { org_name: { org, name } } })
}

const conflict = ({ name, revision, text, updatedBy, updatedAt }: PolicyDraft) =>
  new ControlError('CONFLICT', `${updatedBy} has saved the draft ${name} since`, {
    fix: 'merge the two, and save again',
    details: { theirs: { revision, text, by: updatedBy, at: secondsOf(updatedAt) } },
  })

const tell = ({ control }: Context, tx: Transaction, { org, name, revision, updatedBy, editors }: PolicyDraft) =>
  control.bus.publish(
    tx,
    { org, kind: 'draft', data: { name, revision, by: updatedBy, editors: editorsOf({ editors }, control.now()) } },
    control.now(),
  )
