import { spawn } from 'node:child_process'
import type { Environment } from '../config.ts'
import type { Context } from '../context.ts'

/** The program that opens a link: no shell reads the address. @returns undefined where nobody sits in front of a screen */
export function openerOf(platform: NodeJS.Platform, environment: Environment): readonly string[] | undefined {
  const { BROWSER, DISPLAY, WAYLAND_DISPLAY, SSH_CONNECTION } = environment
  if (BROWSER) return BROWSER.split(' ').filter(Boolean)
  if (platform === 'win32') return ['rundll32', 'url.dll,FileProtocolHandler']
  if (platform === 'darwin') return SSH_CONNECTION ? undefined : ['open']
  return DISPLAY || WAYLAND_DISPLAY ? ['xdg-open'] : undefined
}

/** Prints the address, and opens it where a browser can be. That it opens is never relied on. */
export function openUrl(context: Context, url: string, isWanted: boolean): void {
  context.show(`  ${url}`)
  const [program, ...args] = (isWanted && openerOf(process.platform, context.settings.environment)) || []
  if (program === undefined) return
  const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true })
  child.on('error', () => context.detail(`${program} cannot be started: open the address yourself`))
  child.unref()
}
