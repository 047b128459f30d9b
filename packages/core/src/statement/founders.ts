import { sha256 } from '@noble/hashes/sha2.js'
import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { concatBytes, utf8 } from '../bytes/bytes.ts'
import { VerifyError } from '../errors.ts'
import type { AtSign } from '../key/atsign.ts'
import { keyIdOf } from '../key/public-key.ts'
import { enrol } from './enrol.ts'
import { checkKeySet, provenKeys } from './enrolment-request.ts'
import type { KeyNeed } from './kind.ts'
import type { Founder } from './kinds/genesis.ts'
import type { State } from './state.ts'

const LABEL = utf8('postern-founder-v1\0')

/**
 * Enrolment id of an administrator whom `genesis` or `recovery.use` lists among others: SHA-256(label ‖ link ‖ atSign), because
 * the statement's own hash would stand for all of them.
 */
export const founderEnrolment = (link: string, atsign: AtSign): string =>
  encodeBase64url(sha256(concatBytes(LABEL, decodeBase64url(link), utf8(atsign))))

/**
 * Enrols the administrators that `genesis` and `recovery.use` list.
 * @throws {VerifyError} NAME_TAKEN for one listed twice; WRONG_KEY_USE, BAD_KEY, KEY_REUSED, KIND_CHANGED
 */
export function enrolFounders(state: State, seq: number, link: string, admins: readonly Founder[]): State {
  const names = new Set(admins.map(({ atsign }) => atsign))
  if (names.size !== admins.length) throw new VerifyError('NAME_TAKEN', 'an administrator is listed twice')
  return admins.reduce((before, { atsign, keys }) => {
    checkKeySet('person', keys)
    return enrol(before, seq, { atsign, kind: 'person', enrolment: founderEnrolment(link, atsign), keys, admin: true })
  }, state)
}

/** Every signing key that is new to this name signs the statement itself. */
export const newKeys = (before: State | undefined, admins: readonly Founder[]): readonly KeyNeed[] =>
  admins.flatMap(({ atsign, keys }) =>
    provenKeys(keys)
      .filter((key) => {
        const known = before?.keys.get(keyIdOf(key))
        return !(known?.live && known.atsign === atsign)
      })
      .map((key) => ({ key, why: 'possession' as const })),
  )
