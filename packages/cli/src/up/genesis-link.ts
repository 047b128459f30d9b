import { createHash, randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readIfThere, writeDurably } from '@postern/daemon'
import { CliError } from '../errors.ts'

// A genesis link in the hands of `up`. Its secret is printed once and kept nowhere: the control plane reads its hash, and until when it
// counts, in a file of the data directory. Whoever may write there has the database as well, so writing that file needs no further proof.

/** How long a link counts. */
export const LINK_SECONDS = 15 * 60
const RECORD = 'genesis-secret'
const RUNNING = 'up.json'

/** Path of the record, for the control plane (`POSTERN_GENESIS_RECORD`). */
export const recordPath = (data: string): string => join(data, RECORD)

/** Makes a secret and lets it count from now on; the one before counts no more. */
export async function renewSecret(data: string): Promise<string> {
  const secret = randomBytes(16).toString('base64url')
  const hash = createHash('sha256').update(secret).digest('hex')
  await mkdir(data, { recursive: true })
  await writeDurably(recordPath(data), `${hash} ${Math.floor(Date.now() / 1000) + LINK_SECONDS}\n`)
  return secret
}

/** Where everything is that `up` runs, for commands that come later. */
export interface Running {
  readonly pid: number
  readonly control: string
  readonly signer: string
}

export const writeRunning = (data: string, running: Running): Promise<void> =>
  writeDurably(join(data, RUNNING), `${JSON.stringify({ v: 1, ...running })}\n`)

/** @throws {CliError} NOT_READY when nothing runs from that directory */
export async function readRunning(data: string): Promise<Running> {
  const bytes = await readIfThere(join(data, RUNNING))
  const running = bytes && (JSON.parse(new TextDecoder().decode(bytes)) as Running)
  if (running && isAlive(running.pid)) return running
  throw new CliError('NOT_READY', 'Postern does not run on this machine', {
    why: `nothing was started from ${data}`,
    fix: 'postern up, with the same --data',
    exit: 'notFound',
  })
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

export interface GenesisLinks {
  /** For a browser: the signer, where a passkey is made. */
  readonly link: string
  /** For `postern genesis`. */
  readonly cli: string
  readonly command: string
}

/** The secret stands behind '#': it reaches no proxy and no log. Origins are said where they are not the embedded ones. */
export function linksFor({ control, signer }: Pick<Running, 'control' | 'signer'>, secret: string): GenesisLinks {
  const cli = `${control}#${secret}`
  const origins = [
    ...(control === 'http://localhost:3000' ? [] : [`--console-origin ${control}`]),
    ...(signer === 'http://localhost:3001' ? [] : [`--signer-origin ${signer}`]),
  ]
  return {
    link: `${signer}/genesis#${secret}`,
    cli,
    command: ['npx postern genesis', `'${cli}'`, '--name <organisation> --as @you', ...origins].join(' '),
  }
}

/** For people: what to do while nobody owns it. */
export const ownerLines = ({ link, command }: GenesisLinks): readonly string[] => [
  'Nobody owns it yet. Open this on the device that will hold your first passkey:',
  `  ${link}            valid 15 min, one use`,
  `The secret is after '#': it reaches no proxy and no log.     Again: postern genesis link`,
  'Or, with an ssh key, in another terminal:',
  `  ${command}`,
]
