import type { Shape } from '../bytes/shape.ts'
import { list, object, pattern, refuse } from '../bytes/shape.ts'

const HOST = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*'
const ORIGIN = new RegExp(`^(?:https://${HOST}|http://(?:localhost|[a-z0-9-]+\\.localhost|127\\.0\\.0\\.1))(?::[1-9][0-9]{0,4})?$`)

/** As browsers serialise it; plain HTTP only on the machine itself. */
export const originShape: Shape<string> = pattern(ORIGIN, 'an origin such as https://console.example')
const origins = list(originShape, 8, 1)

export type SignerSiteBody = { readonly origins: readonly string[]; readonly rp_id: string }
export type ConsoleBody = { readonly origins: readonly string[] }

const plainSignerSite = object({ origins, rp_id: pattern(new RegExp(`^${HOST}$`), 'a domain') })
/** Where passkeys sign. A relying party id that is no suffix of an origin could never verify there. */
export const signerSiteShape: Shape<SignerSiteBody> = (value, path) => {
  const site = plainSignerSite(value, path)
  for (const origin of site.origins) {
    const host = origin.replace(/^https?:\/\//, '').replace(/:[0-9]+$/, '')
    if (host !== site.rp_id && !host.endsWith(`.${site.rp_id}`)) refuse(`${path}.rp_id`, `does not cover ${origin}`)
  }
  return site
}
export const consoleShape: Shape<ConsoleBody> = object({ origins })
