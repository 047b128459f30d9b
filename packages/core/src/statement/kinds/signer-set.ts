import type { Shape } from '../../bytes/shape.ts'
import { object } from '../../bytes/shape.ts'
import type { Kind } from '../kind.ts'
import type { ConsoleBody, SignerSiteBody } from '../sites.ts'
import { consoleShape, signerSiteShape } from '../sites.ts'
import { siteTexts } from '../wording.ts'

export type SignerSetBody = { readonly signer: SignerSiteBody; readonly console: ConsoleBody }
const body: Shape<SignerSetBody> = object({ signer: signerSiteShape, console: consoleShape })

/** Where passkeys sign and where consoles are. Passkeys made for another relying party stop working. */
export const signerSet: Kind<SignerSetBody> = {
  title: 'Change where people sign',
  body,
  classOf: () => 'root',
  describe(body, _, state) {
    const before = state && { origins: state.site.origins, rp_id: state.site.rpId }
    return [
      ...siteTexts(body.signer, body.console),
      ...(before ? [`Before: ${siteTexts(before, { origins: state.consoleOrigins }).join(' ')}`] : []),
      ...(state && state.site.rpId !== body.signer.rp_id
        ? [`All passkeys made for ${state.site.rpId} stop working: people need new ones.`]
        : []),
    ]
  },
  apply: (state, { body }) => ({
    state: { ...state, site: { origins: body.signer.origins, rpId: body.signer.rp_id }, consoleOrigins: body.console.origins },
  }),
}
