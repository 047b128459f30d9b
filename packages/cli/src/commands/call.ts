import { resolve } from 'node:path'
import { readConnectorConfig } from '@postern/connector'
import type { JsonObject, JsonValue, Receipt } from '@postern/core'
import { isJsonObject, refusals } from '@postern/core'
import { createLog } from '@postern/daemon'
import type { Command } from 'commander'
import type { CallOutcome, Refused } from '../calls/call-tool.ts'
import { callTool } from '../calls/call-tool.ts'
import type { Context } from '../context.ts'
import { CliError } from '../errors.ts'
import { exitOf } from '../exit-codes.ts'
import { argumentsOf, atSignOf, integerOf, toolOf } from '../inputs.ts'
import { soleAgent } from '../local.ts'
import { escapeLines, safeJson } from '../output/escape.ts'
import type { Report } from '../output/report.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'

/** The command waits as long as anybody may take to approve. */
const LONGEST_HOLD = '900'

export function register(program: Command): void {
  program
    .command('call')
    .description('Call a tool as an agent of this machine: with a grant, a signed call, and a receipt.')
    .argument('<tool>', 'server.tool, e.g. fs.read_text_file')
    .argument('[arguments]', 'JSON object', '{}')
    .option('--agent <atsign>', 'who calls; default: the only agent here')
    .option('--grant <file>', 'use this grant and ask for no other')
    .option('--relays <urls>', 'relays to dial instead of those that the control plane names')
    .option('--wait <seconds>', 'how long to wait for the gateway', '10')
    .option('--timeout <seconds>', 'how long to wait for the answer', '600')
    .action(act(call))
}

async function call(context: Context, [typed = '', text = '{}']: readonly string[], options: Options): Promise<Report> {
  const { environment, verbose, debug } = context.settings
  const agent = options.agent ? atSignOf(options.agent) : await soleAgent(environment)
  const { server, tool } = toolOf(typed)
  const config = readConnectorConfig(
    {
      agent,
      server,
      waitSeconds: options.wait,
      approvalWaitSeconds: LONGEST_HOLD,
      relays: options.relays,
      ...(options.grant ? { grant: resolve(options.grant) } : {}),
    },
    environment,
  )
  const log = createLog('connector', { level: debug ? 'debug' : verbose ? 'info' : 'silent' })
  const outcome = await callTool(config, tool, argumentsOf(text), log, integerOf(options.timeout, '--timeout', 1, 86_400) * 1000)
  if (outcome.refused) throw refusedError(outcome.refused, `${server}.${tool}`)
  if (outcome.error) throw new CliError('SERVER_FAILED', `${server}.${tool} failed: ${outcome.error.message}`, { exit: 'failed' })
  return reportOf(outcome, { agent, server, tool })
}

function refusedError({ code, why, fix, rule }: Refused, tool: string): CliError {
  const known = Object.hasOwn(refusals, code) ? refusals[code as keyof typeof refusals] : undefined
  const reason = [why ?? known?.title, rule && `rule ${rule}`].filter(Boolean).join(' · ')
  const remedy = fix ?? known?.fix
  return new CliError(code, `${tool} was refused`, { exit: exitOf(code), why: reason, ...(remedy ? { fix: remedy } : {}) })
}

function reportOf({ result = {}, receipt, ms }: CallOutcome, call: { agent: string; server: string; tool: string }): Report {
  const isError = result.isError === true
  return {
    schema: 'call',
    data: { ...call, result, is_error: isError, receipt: receipt ?? null, ms },
    ids: receipt?.cth ? [receipt.cth] : [],
    lines: textsOf(result),
    hints: [receipt ? receiptText(receipt, ms) : `✓ answered in ${ms} ms`],
    exit: isError ? 'failed' : 'done',
  }
}

/** Text as text, anything else as the JSON that it is. */
function textsOf(result: JsonObject): readonly string[] {
  const content = Array.isArray(result.content) ? (result.content as readonly JsonValue[]) : [result]
  return content.map((part) => (isJsonObject(part) && typeof part.text === 'string' ? escapeLines(part.text) : safeJson(part, 2)))
}

const receiptText = ({ iss, rseq, code, rule, cth }: Receipt, ms: number): string =>
  `✓ receipt ${rseq} of ${iss} · ${code}${rule ? ` by rule ${rule}` : ''} · ${ms} ms · call ${cth ?? ''}`
