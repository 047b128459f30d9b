import type { AtSign } from '../key/atsign.ts'
import { comparisonWords } from '../key/comparison.ts'
import type { KeyUse, PublicKey } from '../key/public-key.ts'
import { keyIdOf } from '../key/public-key.ts'
import type { AdminClass } from './kind.ts'
import { ADMIN_CLASSES } from './kind.ts'
import type { ConsoleBody, SignerSiteBody } from './sites.ts'
import type { SignerKind, State, Threshold, Thresholds } from './state.ts'
import { durationText, utcText } from './times.ts'

/** What a key is for, as a person reads it. */
const PURPOSES: { readonly [use in KeyUse]: string } = {
  sign: 'signing',
  recovery: 'recovery',
  seal: 'receiving what is sealed to it',
  issue: 'issuing grants',
  receipt: 'signing receipts',
  auth: 'signing requests to the control plane and the relay',
  call: 'signing calls',
  channel: 'the encrypted channel',
  invite: 'enrolling with an invite',
}

/** `key 3q2-… for signing (ssh-ed25519)`. The whole id: a shortened one can be ground. */
export function keyText(key: PublicKey): string {
  const bound = key.device_bound ? ', bound to its device' : ''
  const app = key.app && key.app !== 'ssh:' ? `, application ${key.app}` : ''
  return `key ${keyIdOf(key)} for ${PURPOSES[key.use]} (${key.alg}${bound}${app})`
}
export const keyTexts = (atsign: string, keys: readonly PublicKey[]): readonly string[] =>
  keys.map((key) => `${atsign} has the ${keyText(key)}.`)

export const listText = (items: readonly string[], none: string): string => (items.length === 0 ? none : items.join(', '))
export const countText = (n: number, one: string, many = `${one}s`): string => `${n} ${n === 1 ? one : many}`
/** Names that others chose stand in quotes, so that they cannot pass for our words. */
export const quoted = (text: string): string => JSON.stringify(text)

export const tagsText = (tags: readonly string[]): string => (tags.length === 0 ? 'It has no tags.' : `It has the tags ${tags.join(', ')}.`)
/** `at` is when the statement was made, `exp` when the lease ends. */
export const leaseText = (at: number, exp: number): string => `The enrolment lasts ${durationText(exp - at)}, until ${utcText(exp)}.`

const CLASS_MEANING: { readonly [of in AdminClass]: string } = {
  root: 'Root statements (who decides)',
  sensitive: 'Sensitive statements (gateways, policy, tools)',
  routine: 'Routine statements (people, agents)',
}
const KIND_OF_KEY: { readonly [kind in SignerKind]: string } = { passkey: 'a passkey', ssh: 'an ssh key' }
export function thresholdText({ m, kinds = [] }: Threshold): string {
  const people = countText(m, 'administrator')
  return kinds.length === 0
    ? people
    : `${people}, at least one of them with ${kinds.map((kind) => KIND_OF_KEY[kind]).join(' and one with ')}`
}
export const thresholdTexts = (thresholds: Thresholds, before?: Thresholds): readonly string[] =>
  ADMIN_CLASSES.map((of) => {
    const now = thresholdText(thresholds[of])
    const was = before && thresholdText(before[of])
    return `${CLASS_MEANING[of]} need ${now}${was === undefined ? '' : was === now ? ' (unchanged)' : ` (before: ${was})`}.`
  })

export const siteTexts = (signer: SignerSiteBody, console: ConsoleBody): readonly string[] => [
  `Passkeys sign at ${signer.origins.join(', ')} (relying party ${signer.rp_id}).`,
  `Consoles are at ${console.origins.join(', ')}.`,
]

export const wordsText = (org: string, request: Uint8Array): string =>
  `Comparison words: ${comparisonWords(org, request).join(' ')}. Sign only if the other screen shows the same.`

/** Says so when a live enrolment of the same name ends. */
export function replacesText(atsign: AtSign, state: State | undefined): readonly string[] {
  const known = state?.identities.get(atsign)
  return known ? [`This replaces the present enrolment of ${atsign}; keys it does not list again end.`] : []
}
