import { createLog, runMain } from '@postern/daemon'
import type { Command } from 'commander'
import type { Context } from '../context.ts'
import { usageError } from '../errors.ts'
import { state } from '../output/cell.ts'
import type { Report } from '../output/report.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'
import { checkSigner } from '../signer/check.ts'
import { readSignerDist } from '../signer/dist.ts'
import { serveSigner } from '../signer/serve.ts'
import { portOf } from '../up/ports.ts'

export function register(program: Command): void {
  const signer = program
    .command('signer')
    .description('Serve the signing page from this machine: the page where passkeys sign, on an origin of its own.')
    .option('--host <address>', 'address to listen on; other than loopback, put TLS in front', '127.0.0.1')
    .option('--port <port>', 'port of the page', '3001')
    .option(
      '--console <origins>',
      'origins of the control plane, separated by commas: the page may talk to no other',
      'http://localhost:3000',
    )
    .action(act(serve))
  signer
    .command('hashes')
    .description('SHA-256 of every file of the signing page; with --check, compared with what an address serves.')
    .option('--check <origin>', 'a signer somewhere, e.g. https://signer.example')
    .action(act(hashes))
}

/** @throws {CliError} USAGE */
function originsOf(text: string): readonly string[] {
  return text.split(',').map((part) => {
    const origin = part.trim().replace(/\/$/, '')
    if (URL.canParse(origin) && /^https?:$/.test(new URL(origin).protocol) && new URL(origin).origin === origin) return origin
    throw usageError(
      `${part.trim() || 'nothing'} is no origin`,
      'an origin is a scheme, a host and perhaps a port: https://console.example',
    )
  })
}

async function serve({ settings }: Context, _args: readonly string[], { host, port, ...options }: Options): Promise<undefined> {
  const consoles = originsOf(options.console)
  const dist = await readSignerDist()
  const log = createLog('signer', { level: settings.debug || settings.verbose ? 'debug' : 'info' })
  const start = async () => {
    const { url, close } = await serveSigner(dist, { host, port: portOf(port), consoles })
    return { ready: `signer on ${url} for ${consoles.join(', ')}`, close }
  }
  await runMain('signer', start, { log })
}

async function hashes(_context: Context, _args: readonly string[], options: Options): Promise<Report> {
  const dist = await readSignerDist()
  if (options.check !== undefined) return reportOf(originsOf(options.check)[0]!, await checkSigner(dist, originsOf(options.check)[0]!))
  const files = [...dist.hashes].map(([file, sha256]) => ({ file, sha256, bytes: dist.files.get(file)!.length }))
  return {
    schema: 'signer.hashes',
    data: files,
    ids: files.map(({ sha256 }) => sha256),
    table: { columns: ['sha256', 'file', 'bytes'], rows: files.map(({ file, sha256, bytes }) => [sha256, file, bytes]) },
  }
}

function reportOf(origin: string, parts: Awaited<ReturnType<typeof checkSigner>>): Report {
  const isSame = parts.every((part) => part.state === 'ok')
  return {
    schema: 'signer.check',
    data: { origin, same: isSame, parts: parts.map((part) => ({ ...part, found: part.found ?? null })) },
    ids: parts.filter((part) => part.state !== 'ok').map(({ part }) => part),
    table: {
      columns: ['state', 'part', 'expected', 'found'],
      rows: parts.map((part) => [state(part.state), part.part, part.expected, part.found]),
    },
    hints: [isSame ? `✓ ${origin} serves this signer` : `✕ ${origin} serves something else: sign nothing there`],
    exit: isSame ? 'done' : 'verification',
  }
}
