import { join } from 'node:path'
import { makePrivateDirectory, OperationError, places, readIfThere, writeDurably } from '@postern/daemon'
import { parse, stringify } from 'smol-toml'
import { z } from 'zod'
import type { Environment } from '../config.ts'

/** One organisation as one person of this machine. */
const profile = z.strictObject({
  /** Address of the control plane. A hint: a wrong one is denial of service, because everything it says is verified. */
  control: z.url({ protocol: /^https?$/ }),
  /** The organisation: SHA-256 of its genesis, base64url. Wrong: everything ends with WRONG_ORGANISATION, exit code 8. */
  org: z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/, 'is not an organisation (43 characters)'),
  atsign: z.string().regex(/^@[a-z0-9][a-z0-9_-]{0,54}$/, 'is not an atSign'),
  /** Directory under `person/` of the state directory. */
  state: z.string().regex(/^[@a-z0-9_-][@a-zA-Z0-9._-]*$/, 'is not a directory name'),
  /** What signs: `own` = the key file in the state directory; else a public key file that `ssh-keygen -Y sign -f` takes. */
  key: z.string().min(1),
})
const file = z.strictObject({ profile: z.string().optional(), profiles: z.record(z.string(), profile).default({}) })

export type Profile = z.output<typeof profile> & { readonly name: string }
export type ConfigFile = z.output<typeof file>

export const configFilePath = (environment: Environment): string => join(places(environment).config, 'config.toml')

/** @throws {OperationError} CONFIG_INVALID, naming the file and every problem */
export async function readConfigFile(environment: Environment): Promise<ConfigFile> {
  const path = configFilePath(environment)
  const bytes = await readIfThere(path)
  if (!bytes) return { profiles: {} }
  const result = file.safeParse(parseToml(path, new TextDecoder().decode(bytes)))
  if (result.success) return result.data
  const problems = result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  throw new OperationError('CONFIG_INVALID', `${path}: ${problems.join('; ')}`, { fix: `edit ${path}` })
}

function parseToml(path: string, text: string): unknown {
  try {
    return parse(text)
  } catch (cause) {
    throw new OperationError('CONFIG_INVALID', `${path} is not TOML: ${(cause as Error).message}`, { cause, fix: `edit ${path}` })
  }
}

/** Adds or replaces a profile and makes it the one that is used. Other profiles stay; comments are not kept. */
export async function saveProfile({ name, ...fields }: Profile, environment: Environment): Promise<string> {
  const path = configFilePath(environment)
  const known = await readConfigFile(environment)
  await makePrivateDirectory(join(path, '..'))
  await writeDurably(path, stringify({ ...known, profile: name, profiles: { ...known.profiles, [name]: fields } }))
  return path
}

/** The organisation's name as a profile's: short, and no other organisation's. */
export async function freeProfileName(organisation: string, org: string, environment: Environment): Promise<string> {
  const { profiles } = await readConfigFile(environment)
  const base =
    organisation
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '') || 'organisation'
  for (let i = 1; ; i += 1) {
    const name = i === 1 ? base : `${base}-${i}`
    if (!Object.hasOwn(profiles, name) || profiles[name]!.org === org) return name
  }
}
