import 'server-only'
import { headers } from 'next/headers'
import { control } from './control.ts'

/** Where this console wants to be opened: the first origin of the authority log that this server serves, else its own first one. */
export async function ownOrigin(): Promise<string> {
  const { config, ledger } = await control()
  const signed = ledger.state?.consoleOrigins.find((origin) => config.publicUrl.includes(origin))
  return signed ?? config.publicUrl[0]!
}

/** Whether this page was opened at an origin for which people can sign in: `127.0.0.1` and `localhost` are two. */
export async function isOwnHost(): Promise<boolean> {
  const { ledger } = await control()
  const host = (await headers()).get('host')
  return ledger.state?.consoleOrigins.some((origin) => new URL(origin).host === host) ?? false
}
