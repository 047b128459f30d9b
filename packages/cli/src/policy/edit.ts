import { spawn } from 'node:child_process'
import type { PolicyTemplate } from '@postern/core'
import { adminsOf, advisePolicy, lintPolicy, POLICY_TEMPLATES, parsePolicy, policyFacts, policyTemplate, utf8 } from '@postern/core'
import { readIfThere, writeDurably } from '@postern/daemon'
import type { Context } from '../context.ts'
import { CliError, usageError } from '../errors.ts'
import { state as stateCell } from '../output/cell.ts'
import type { Report } from '../output/report.ts'
import type { Options } from '../run.ts'
import { current, knownState, readPolicyFile } from './document.ts'

/** Mistakes, then advice: exit code 10 with a mistake. */
export async function lintFile(context: Context, [path = '']: readonly string[]): Promise<Report> {
  const bytes = await readPolicyFile(path)
  const problems = lintPolicy(bytes)
  const state = await knownState(context)
  const facts = state ? policyFacts(state) : undefined
  const advice = problems.length === 0 && facts ? advisePolicy(parsePolicy(bytes), facts) : []
  const found = [
    ...problems.map(({ line, column, code, path: at, message }) => ({
      kind: 'failed',
      line,
      column,
      code,
      message: at ? `${at}: ${message}` : message,
    })),
    ...advice.map(({ line, code, message }) => ({ kind: 'warning', line, column: undefined, code, message })),
  ]
  return {
    schema: 'policy.lint',
    data: found.map(({ kind, line, column, ...rest }) => ({
      ...rest,
      mistake: kind === 'failed',
      line: line ?? null,
      column: column ?? null,
    })),
    ids: found.map(({ line, code }) => `${line ?? ''}:${code}`),
    table: {
      columns: ['', 'line', 'column', 'what', 'code'],
      rows: found.map(({ kind, line, column, message, code }) => [stateCell(kind), line, column, message, code]),
      empty: 'no mistakes',
    },
    exit: problems.length > 0 ? 'checksFailed' : 'done',
  }
}

/** @throws {CliError} USAGE without an editor; EDITOR_FAILED */
export async function editPolicy(context: Context, [path = '']: readonly string[], options: Options): Promise<Report> {
  const template = templateOf(options.template)
  if (!(await readIfThere(path))) await writeDurably(path, await beginning(context, template))
  else if (template) throw usageError(`${path} is there already`, 'leave out --template, or name another file')
  await openEditor(context, path)
  return lintFile(context, [path])
}

function templateOf(typed: string | undefined): PolicyTemplate | undefined {
  const found = POLICY_TEMPLATES.find((template) => template === typed)
  if (typed !== undefined && !found) throw usageError(`--template takes ${POLICY_TEMPLATES.join(', ')}, not ${typed}`)
  return found
}

async function beginning(context: Context, template: PolicyTemplate | undefined): Promise<Uint8Array> {
  if (template === undefined) return (await current(context)).bytes
  const state = await knownState(context)
  const admins = state ? adminsOf(state).map(({ atsign }) => atsign) : []
  if (admins.length === 0 && template === 'read-only')
    throw usageError('who approves? No organisation is known on this machine', 'postern login')
  return utf8(policyTemplate(template, admins))
}

/** The editor has the terminal until it ends. Its command may have arguments, as in `EDITOR="code --wait"`. */
async function openEditor({ settings }: Context, path: string): Promise<void> {
  const { VISUAL, EDITOR } = settings.environment
  const [program, ...args] = (VISUAL || EDITOR || '').split(/\s+/).filter(Boolean)
  if (program === undefined) throw usageError('which editor?', 'set VISUAL or EDITOR')
  const code = await new Promise<number | null>((resolve, reject) => {
    const child = spawn(program, [...args, path], { stdio: 'inherit' })
    child.once('error', reject)
    child.once('exit', resolve)
  }).catch((cause: Error) => {
    throw new CliError('EDITOR_FAILED', `the editor ${program} cannot be started: ${cause.message}`, {
      fix: 'set VISUAL or EDITOR',
      exit: 'failed',
    })
  })
  if (code !== 0)
    throw new CliError('EDITOR_FAILED', `the editor ${program} ended with ${code ?? 'a signal'}`, {
      fix: `postern policy lint ${path}`,
      exit: 'failed',
    })
}
