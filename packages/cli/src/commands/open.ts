import type { Command } from 'commander'
import { openUrl } from '../browser/open-url.ts'
import { CONSOLE_PAGES } from '../console-pages.ts'
import type { Context } from '../context.ts'
import { usageError } from '../errors.ts'
import type { Report } from '../output/report.ts'
import { findProfile } from '../profile/person.ts'
import type { Options } from '../run.ts'
import { act } from '../run.ts'

export function register(program: Command): void {
  program
    .command('open')
    .description('Open the console in the browser.')
    .argument('[page]', CONSOLE_PAGES.join(', '), 'inbox')
    .option('--no-browser', 'only print the address')
    .action(act(open))
}

async function open(context: Context, [page = 'inbox']: readonly string[], options: Options): Promise<Report> {
  if (!(CONSOLE_PAGES as readonly string[]).includes(page))
    throw usageError(`the console has no page ${page}`, `pages: ${CONSOLE_PAGES.join(', ')}`)
  const { control } = await findProfile(context.settings)
  const url = `${control.replace(/\/+$/, '')}/${page}`
  openUrl({ ...context, show: () => {} }, url, options.browser !== false)
  return { schema: 'open', data: { page, url }, ids: [url], lines: [url] }
}
