import { adminsOf, keyIdOf, parseStatement } from '@postern/core'
import type { Context, Control } from '../context.ts'
import { ControlError } from '../errors.ts'
import { VERSION } from '../status/service.ts'

/** What the log says about the organisation itself. Comparison words are not among it: those only the signer and the CLI compute. */
export async function readOrganisation({ control }: Context) {
  const { state } = control.ledger
  if (!state) throw new ControlError('NOT_FOUND', 'there is no organisation here yet')
  const { name, org, thresholds, site, consoleOrigins, recovery } = state
  const limits = ({ m, kinds = [] }: (typeof thresholds)['root']) => ({ m, kinds: [...kinds] })
  return {
    ...{ name, org, head: control.ledger.head(), version: VERSION },
    founded: await readFounding(control),
    thresholds: { root: limits(thresholds.root), sensitive: limits(thresholds.sensitive), routine: limits(thresholds.routine) },
    ...{ rp_id: site.rpId, signer_origins: [...site.origins], console_origins: [...consoleOrigins] },
    recovery: { kid: keyIdOf(recovery) as string, alg: recovery.alg },
    admins: adminsOf(state).map(({ atsign }) => atsign as string),
    ...{ relays: control.config.relayUrls, public_urls: control.config.publicUrl },
  }
}

/** Who founded the organisation, and when; undefined while nobody has. */
export async function readFounding({ db, ledger }: Pick<Control, 'db' | 'ledger'>) {
  if (!ledger.org) return undefined
  const row = await db.prisma.statement.findUnique({ where: { org_seq: { org: ledger.org, seq: 0 } }, select: { bytes: true } })
  const genesis = row && parseStatement(new Uint8Array(row.bytes))
  return genesis?.op === 'genesis' ? { at: genesis.at, by: genesis.body.admins.map(({ atsign }) => atsign as string) } : undefined
}
