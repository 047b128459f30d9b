import 'server-only'
import { cookies } from 'next/headers'
import type { Theme } from '../_ui/theme.ts'
import { THEME_COOKIE, THEMES } from '../_ui/theme.ts'

/** The theme in which the server writes the page: a class of <html>, so that nothing flashes and no script is needed. */
export async function theme(): Promise<Theme> {
  const value = (await cookies()).get(THEME_COOKIE)?.value
  return THEMES.find((known) => known === value) ?? 'system'
}
