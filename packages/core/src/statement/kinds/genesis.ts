import type { Shape } from '../../bytes/shape.ts'
import { bytesOf, list, object, text } from '../../bytes/shape.ts'
import { publicKeyShape } from '../../key/admission.ts'
import type { AtSign } from '../../key/atsign.ts'
import { atSignShape } from '../../key/atsign.ts'
import type { PublicKey } from '../../key/public-key.ts'
import { publicKeys } from '../enrolment-request.ts'
import { MAX_ADMINS } from '../names.ts'
import type { ConsoleBody, SignerSiteBody } from '../sites.ts'
import { consoleShape, signerSiteShape } from '../sites.ts'
import type { Thresholds } from '../state.ts'
import { thresholdsShape } from '../thresholds.ts'
import { keyText, quoted, siteTexts, thresholdTexts } from '../wording.ts'

/** An administrator as `genesis` and `recovery.use` list them. */
export type Founder = { readonly atsign: AtSign; readonly keys: readonly PublicKey[] }
export const founders: Shape<readonly Founder[]> = list(object({ atsign: atSignShape, keys: publicKeys }), MAX_ADMINS, 1)
export const founderTexts = (admins: readonly Founder[]): readonly string[] =>
  admins.map(({ atsign, keys }) => `${atsign} is an administrator, with ${keys.map((key) => `the ${keyText(key)}`).join(' and ')}.`)

export type GenesisBody = {
  readonly name: string
  readonly nonce: string
  readonly admins: readonly Founder[]
  readonly thresholds: Thresholds
  readonly signer: SignerSiteBody
  readonly console: ConsoleBody
  readonly recovery: PublicKey
}

export const genesisBody: Shape<GenesisBody> = object({
  name: text(64, 1),
  nonce: bytesOf(16),
  admins: founders,
  thresholds: thresholdsShape,
  signer: signerSiteShape,
  console: consoleShape,
  recovery: publicKeyShape,
})

export const describeGenesis = (body: GenesisBody): readonly string[] => [
  `This founds the organisation ${quoted(body.name)}.`,
  ...founderTexts(body.admins),
  ...thresholdTexts(body.thresholds),
  ...siteTexts(body.signer, body.console),
  `Whoever holds the ${keyText(body.recovery)} can replace all administrators alone.`,
]
