import type { AtSign, Enrolment, State } from '@postern/core'
import { awaitEnrolment, decodeBase64url, encodeBase64url, parseAtSign, postEnrolment } from '@postern/core'
import type { StateDir } from '@postern/daemon'
import type { Context } from '../context.ts'
import { notFound } from '../errors.ts'
import { surroundings } from '../surroundings.ts'
import { VERSION } from '../version.ts'
import { approversOf, machineFacts, readPublicLog } from './join.ts'

const FILE = 'enrolment.json'

/** What became of a request so far. */
export interface Asked {
  readonly id: string
  readonly atsign: string
  readonly org: string
  readonly words: readonly string[]
  readonly status: 'pending' | 'enrolled'
  /** Who signed it. */
  readonly approved_by?: readonly string[]
  readonly seq?: number
}

/** A request that was posted: enough to wait for it again, and to find it in the log. Holds no secret. */
interface Posted {
  readonly id: string
  readonly enrolment: Enrolment
}

/**
 * Checks the log of the join string from its pin, makes the request, posts it and shows its words.
 * @param make Makes keys and request; called when the log has been checked.
 */
export async function ask(
  context: Context,
  join: Enrolment['join'],
  dir: StateDir,
  make: (state: State) => Promise<Enrolment>,
): Promise<Posted> {
  const { state } = await readPublicLog(join)
  sayChecked(context, state)
  const enrolment = await make(state)
  const id = await postEnrolment(enrolment, machineFacts(VERSION), surroundings)
  await dir.write(
    FILE,
    JSON.stringify({
      v: 1,
      id,
      control: join.control,
      org: join.org,
      atsign: enrolment.atsign,
      request: encodeBase64url(enrolment.request),
      words: enrolment.words,
    }),
  )
  context.say(`✓ Request posted for ${enrolment.atsign}`)
  return { id, enrolment }
}

function sayChecked(context: Context, { name, org, seq }: State): void {
  context.say(`✓ Organisation ${JSON.stringify(name)} ${org}, as pinned in the join string`)
  context.say(`✓ Authority log checked from entry 0 (${seq + 1} statements)`)
}

/** The request that was posted from this directory before. @throws {CliError} NOT_FOUND */
export async function resume(dir: StateDir): Promise<Posted> {
  const bytes = await dir.read(FILE)
  if (!bytes) throw notFound('no request was posted from here', 'enrol with a join string')
  const { id, control, org, atsign, request, words } = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, string> & {
    words: string[]
  }
  const join = { control: control!, org: org!, code: '' }
  return { id: id!, enrolment: { join, atsign: parseAtSign(atsign!) as AtSign, request: decodeBase64url(request!), proofs: [], words } }
}

/**
 * Shows the words and waits until somebody has decided. That it is approved is read from the log, not from the answer.
 * @throws {EdgeError} ENROLMENT_REFUSED, ENROLMENT_EXPIRED
 */
export async function wait(context: Context, { id, enrolment }: Posted): Promise<Asked> {
  const { join, atsign, words } = enrolment
  context.say(`◌ Waiting for approval. Compare these words with those that the approver sees:   ${words.join(' ')}`)
  context.say('  Ctrl-C is safe: the same command with --resume waits again')
  await awaitEnrolment(join.control, id, surroundings)
  const log = await readPublicLog(join, id)
  const approvers = approversOf(log, enrolment)
  context.say(`✓ Approved by ${approvers.join(', ')}`)
  const seq = log.state.identities.get(atsign)?.enrolledSeq
  return { ...asked({ id, enrolment }), status: 'enrolled', approved_by: approvers, ...(seq === undefined ? {} : { seq }) }
}

export const asked = ({ id, enrolment: { atsign, join, words } }: Posted): Asked => ({
  id,
  atsign,
  org: join.org,
  words,
  status: 'pending',
})

/** A machine that asked and was not waited for. */
export function sayPending(context: Context, { atsign, words }: Asked): void {
  context.say(`◌ Waiting for approval of ${atsign}. Compare these words with those that the approver sees:   ${words.join(' ')}`)
}
