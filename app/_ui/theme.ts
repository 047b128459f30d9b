/** Which colours a page is written in. `system` follows the device. */
export const THEMES = ['system', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]
export const THEME_COOKIE = 'postern_theme'
const YEAR_SECONDS = 31_536_000

/** Takes effect at once; the cookie keeps it for the server's next page. */
export function chooseTheme(next: Theme): void {
  document.documentElement.className = next
  // biome-ignore lint/suspicious/noDocumentCookie: a preference, read by the server; the Cookie Store API is not everywhere
  document.cookie = `${THEME_COOKIE}=${next}; Path=/; SameSite=Lax; Max-Age=${YEAR_SECONDS}`
}
