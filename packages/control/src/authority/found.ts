import { timingSafeEqual } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Signed, Statement } from '@postern/core'
import { encodeSigned, linkHash, organisationOf, startState, utf8 } from '@postern/core'
import type { Context, Control } from '../context.ts'
import { ControlError } from '../errors.ts'
import { dateOf } from '../time.ts'
import type { Head } from './ledger.ts'
import { rebuild } from './project.ts'
import { isDuplicate, storeStatement } from './store.ts'

/** How long after each start the genesis secret counts. */
export const GENESIS_SECONDS = 15 * 60

/**
 * Stores statement 0, once and for all. The secret only says who may post it here: nothing is derived from it.
 * @throws {ControlError} BAD_SECRET, ALREADY_FOUNDED
 * @throws {VerifyError} when genesis does not verify
 */
export async function foundOrganisation(
  { control }: Context,
  signed: Signed,
  statement: Statement & { op: 'genesis' },
  secret: string | undefined,
): Promise<Head> {
  await checkSecret(control, secret)
  const org = organisationOf(signed.bytes)
  const head = { seq: 0, hash: linkHash(signed.bytes) }
  if (control.ledger.org === org) return head // the answer to the first attempt got lost
  if (control.ledger.org) throw new ControlError('ALREADY_FOUNDED', 'this control plane serves another organisation already')
  const state = startState(signed, org, control.suite)
  const now = control.now()
  try {
    await control.db.prisma.$transaction(async (tx) => {
      await tx.organisation.create({ data: { id: org, name: state.name, foundedAt: dateOf(now) } })
      await storeStatement(tx, org, head, statement.op, encodeSigned(signed))
      await rebuild(tx, state)
      await control.bus.publish(tx, { org, kind: 'log', data: { ...head } }, now)
    })
  } catch (error) {
    if (!isDuplicate(error)) throw error
    await control.ledger.refresh()
    throw new ControlError('ALREADY_FOUNDED', 'somebody else founded an organisation here first', { cause: error })
  }
  await control.ledger.refresh()
  control.log.info({ org, by: statement.body.admins.map(({ atsign }) => atsign) }, 'genesis signed')
  return head
}

async function checkSecret(control: Control, secret: string | undefined): Promise<void> {
  const { suite, limits } = control
  limits.guesses.check()
  const expected = await expectedHash(control)
  if (!expected) throw new ControlError('BAD_SECRET', 'the genesis secret has expired', { fix: fixFor(control) })
  const given = suite.sha256(utf8(secret ?? ''))
  if (timingSafeEqual(given, Buffer.from(expected, 'hex'))) return
  limits.guesses.spend()
  throw new ControlError('BAD_SECRET', 'this is not the genesis secret')
}

const fixFor = ({ config }: Control) =>
  config.genesisRecord === undefined
    ? 'restart Postern: it prints a new genesis link'
    : 'make a new one on its machine: postern genesis link'

/** SHA-256 of the secret that counts now. @returns undefined when none does */
async function expectedHash({ config, startedAt, now }: Control): Promise<string | undefined> {
  if (config.genesisRecord === undefined) return now() < startedAt + GENESIS_SECONDS ? config.genesisSecretHash : undefined
  const text = await readFile(config.genesisRecord, 'utf8').catch(() => '')
  const [, hash, until] = /^([0-9a-f]{64}) (\d{1,12})\n$/.exec(text) ?? []
  return now() < Number(until ?? 0) ? hash : undefined
}
