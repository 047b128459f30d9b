import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { errnoOf, writeDurably } from '@postern/daemon'
import type { Command } from 'commander'
import { collectEvidence } from '../audit/collect.ts'
import type { Evidence } from '../audit/evidence.ts'
import { encodeEvidence, parseEvidence } from '../audit/evidence.ts'
import { showReceipts, showStatements } from '../audit/show.ts'
import { sinceOf } from '../audit/since.ts'
import { verifyEvidence } from '../audit/verify-evidence.ts'
import type { Context } from '../context.ts'
import type { Check } from '../doctor/checks.ts'
import { CliError, notFound, usageError } from '../errors.ts'
import { escapeText } from '../output/escape.ts'
import type { Report } from '../output/report.ts'
import { findProfile, openSignedIn } from '../profile/person.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'
import { now } from '../surroundings.ts'

const KINDS = ['receipts', 'statements'] as const

export function register(program: Command): void {
  const audit = program.command('audit').description('Statements and receipts, verified here.')
  audit
    .command('show')
    .description('What gateways did (receipts), or what people signed (statements); newest first, each verified here.')
    .argument('[what]', KINDS.join(', '), 'receipts')
    .option('--since <time>', '90m, 24h, 7d, a date, or Unix seconds; receipts: default a day')
    .option('--agent <atsign>', 'receipts: of this agent')
    .option('--tool <tool>', 'receipts: server.tool, or a tool of any server')
    .option('--gateway <atsign>', 'receipts: of this gateway')
    .option('--decision <decision>', 'receipts: allow or deny')
    .option('--code <code>', 'receipts: with this code, e.g. ARGUMENT_REFUSED')
    .option('--limit <number>', 'how many', '50')
    .option('--cursor <cursor>', '`next` of the page before')
    .action(act(show))
  audit
    .command('verify')
    .description('Verify log, revocations, policies, receipts and acks from the pin: those of the control plane, or a file, offline.')
    .argument('[file]', 'written by audit export')
    .option('--org <organisation>', 'the pin for a file: 43 characters; default: that of the profile')
    .option('--since <time>', 'receipts from then on; default: all')
    .action(act(verify))
  audit
    .command('export')
    .description('Everything that audit verify looks at, in one file.')
    .argument('<file>')
    .option('--since <time>', 'receipts from then on; default: all')
    .action(act(exportAll))
}

async function show(context: Context, [what = '']: readonly string[], options: Options): Promise<Report> {
  if (!(KINDS as readonly string[]).includes(what)) throw usageError(`audit shows ${KINDS.join(' or ')}, not ${what}`)
  const { decision } = options
  if (decision !== undefined && decision !== 'allow' && decision !== 'deny')
    throw usageError(`--decision takes allow or deny, not ${decision}`)
  const person = await openSignedIn(context.settings)
  return what === 'statements' ? showStatements(context, person, options) : showReceipts(context, person, options)
}

async function verify(context: Context, [file]: readonly string[], options: Options): Promise<Report> {
  if (file !== undefined) return verifyFile(context, resolve(file), options)
  const person = await openSignedIn(context.settings)
  const evidence = await collectEvidence(person, sinceOf(options.since, now()))
  for (const warning of evidence.warnings) context.warn(warning)
  return reportOf(person.profile.org, evidence, undefined)
}

async function verifyFile(context: Context, path: string, options: Options): Promise<Report> {
  const org: string = options.org === undefined ? await pinOf(context) : options.org
  const bytes = await readAll(path)
  const evidence = parseEvidence(bytes, path)
  if (evidence.org !== org) {
    throw new CliError('WRONG_ORGANISATION', 'this file is of another organisation than the pinned one', {
      why: `pinned is ${org}, the file says ${evidence.org}`,
      fix: 'if you audit another organisation, get its id from a person and add --org <id>',
      exit: 'verification',
    })
  }
  return reportOf(org, evidence, path)
}

async function pinOf({ settings }: Context): Promise<string> {
  try {
    return (await findProfile(settings)).org
  } catch (error) {
    if (settings.profile !== undefined || (error as { code?: unknown }).code !== 'NO_PROFILE') throw error
    throw usageError('which organisation shall it be?', 'get its id from a person (postern org show -q) and add --org <id>')
  }
}

/** @throws {CliError} NOT_FOUND */
async function readAll(path: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(path))
  } catch (cause) {
    throw notFound(`${path} cannot be read: ${errnoOf(cause) ?? (cause as Error).message}`)
  }
}

const GLYPHS = { ok: '✓', warning: '!', failed: '✕', skipped: '○' } as const

function reportOf(org: string, evidence: Evidence, file: string | undefined): Report {
  const checks = verifyEvidence(org, evidence, now())
  const isGood = checks.every(({ status }) => status !== 'failed')
  const { log, revocations, policies, receipts, acks, from, to, isComplete } = evidence
  const counts = {
    statements: log.length,
    revocations: revocations.length,
    policies: policies.length,
    receipts: receipts.length,
    acks: acks.length,
  }
  return {
    schema: 'audit.verify',
    data: {
      org,
      file: file ?? null,
      verified: isGood,
      from,
      to,
      complete: isComplete,
      ...counts,
      checks: checks.map((check) => ({ fix: null, ...check })),
    },
    ids: checks.filter(({ status }) => status === 'failed').map(({ id }) => id),
    lines: [...checks.flatMap(linesOf), `Verification ${isGood ? 'succeeded' : 'FAILED'}. Covers ${coverOf(evidence)}.`],
    exit: isGood ? 'done' : 'verification',
  }
}

const linesOf = ({ id, status, detail, fix }: Check) => [
  `${GLYPHS[status]} ${id.padEnd(12)} ${escapeText(detail)}`,
  ...(fix ? [`  ${''.padEnd(12)} fix: ${fix}`] : []),
]

const timeText = (seconds: number) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
const coverOf = ({ from, to }: Evidence) => `${from === null ? 'genesis' : timeText(from)} → ${timeText(to)}`

async function exportAll(context: Context, [file = '']: readonly string[], options: Options): Promise<Report> {
  const person = await openSignedIn(context.settings)
  const evidence = await collectEvidence(person, sinceOf(options.since, now()))
  for (const warning of evidence.warnings) context.warn(warning)
  const path = resolve(file)
  const text = encodeEvidence(person.profile.org, evidence)
  await writeDurably(path, text)
  const { log, revocations, policies, receipts, acks } = evidence
  const data = {
    path,
    bytes: Buffer.byteLength(text),
    statements: log.length,
    revocations: revocations.length,
    policies: policies.length,
    receipts: receipts.length,
    acks: acks.length,
  }
  return {
    schema: 'audit.export',
    data,
    ids: [path],
    facts: Object.entries(data),
    hints: [`→ anywhere, offline: postern audit verify ${path} --org ${person.profile.org}`],
  }
}
