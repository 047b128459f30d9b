import type { Command } from 'commander'
import type { GlobalFlags } from './config.ts'
import type { Context } from './context.ts'
import { createContext } from './context.ts'
import { EXIT } from './exit-codes.ts'
import type { Report } from './output/report.ts'
import { renderReport } from './output/report.ts'
import { createStyle } from './output/style.ts'

/** A command's own options, as commander hands them over. */
// biome-ignore lint/suspicious/noExplicitAny: commander knows no types; each command reads the options that it declared
export type Options = Readonly<Record<string, any>>

/** What a command is: arguments and options in, a report out; undefined when it printed, or ran, by itself. */
export type Act = (context: Context, args: readonly string[], options: Options) => Promise<Report | undefined>

/** Makes the commander action of a command. Operands arrive flat, variadic ones included. */
export const act =
  (run: Act) =>
  async (...received: unknown[]): Promise<void> => {
    const command = received.at(-1) as Command
    const operands = received.slice(0, -2).flat() as (string | undefined)[]
    const flags = command.optsWithGlobals<GlobalFlags & { jsonVersion: number }>()
    const context = createContext(flags, flags.jsonVersion)
    if (flags.debug) (await import('./surroundings.ts')).traceRequests(context.say)
    const report = await run(
      context,
      operands.filter((operand) => operand !== undefined),
      command.opts<Options>(),
    )
    if (report) finish(report, context)
  }

/** The result on stdout, hints on stderr for people. */
export function finish(report: Report, context: Context): void {
  const { settings } = context
  for (const warning of report.warnings ?? []) context.warn(warning)
  process.stdout.write(renderReport({ ...report, warnings: context.warnings }, settings, createStyle(settings)))
  if (settings.human && settings.json === undefined) for (const hint of report.hints ?? []) context.say(hint)
  process.exitCode = EXIT[report.exit ?? 'done']
}
