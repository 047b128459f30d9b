import type { Command } from 'commander'
import { CommanderError, Help, Command as Program } from 'commander'
import type { GlobalFlags } from './config.ts'
import { environment, readSettings } from './config.ts'
import { usageError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { findNoun, GROUPS, NOUNS } from './nouns.ts'
import { createStyle } from './output/style.ts'

/** Runs one command line and sets the exit code. Whatever goes wrong is printed in one form, here. */
export async function main(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.done) // whoever read our output has seen enough
    throw error
  })
  if (argv[0] === '__complete') {
    const { printCompletion } = await import('./completion/complete.ts') // a shell asks
    return printCompletion(createProgram(), argv.slice(1), environment)
  }
  const { args, jsonVersion } = takeJsonVersion(argv)
  const program = createProgram(jsonVersion)
  try {
    await registerCommands(program, args)
    await program.parseAsync(args.length > 0 ? args : ['--help'], { from: 'user' })
  } catch (error) {
    const usage = error instanceof CommanderError && error.exitCode !== 0 ? asUsageError(error, program, args) : error
    await end(usage, program.opts<GlobalFlags>(), jsonVersion)
  }
}

/** `--json=1` pins the version of the document; commander would take the next word for it. */
function takeJsonVersion(argv: readonly string[]): { args: string[]; jsonVersion: number } {
  let jsonVersion = 1
  let isOurs = true
  const args = argv.map((arg) => {
    isOurs &&= arg !== '--'
    const [, version] = (isOurs && /^--json=(\d{1,3})$/.exec(arg)) || []
    if (version === undefined) return arg
    jsonVersion = Number(version)
    return '--json'
  })
  return { args, jsonVersion }
}

export function createProgram(jsonVersion = 1): Command {
  const program: Command = new Program('postern')
    .usage('<command> [options]')
    .option('--json', 'one JSON document on stdout; --json=1 pins its version')
    .option('--fields <names>', 'with --json: only these fields, separated by commas')
    .option('-q, --quiet', 'only ids')
    .option('-v, --verbose', 'say more')
    .option('--debug', 'say everything but secrets, on stderr')
    .option('--color <when>', 'auto, always or never', 'auto')
    .option('--no-input', 'never ask')
    .option('-y, --yes', 'confirm what can be undone')
    .option('--accept <name>', 'confirm by name what cannot, e.g. revoke-is-final', (name: string, before: string[] = []) => [
      ...before,
      name,
    ])
    .option('--profile <name>', 'another profile of config.toml')
    .configureHelp({
      formatHelp: (command, help) => (command === program ? overview(program) : Help.prototype.formatHelp.call(help, command, help)),
    })
    .exitOverride()
    .configureOutput({ outputError: () => {}, writeErr: () => {} })
    .helpCommand(false)
  program.setOptionValueWithSource('jsonVersion', jsonVersion, 'default')
  return program
}

/** Only the commands of the noun that was typed are loaded; the others are names, for the overview and for did-you-mean. */
async function registerCommands(program: Command, args: readonly string[]): Promise<void> {
  const wanted = findNoun(firstWord(program, args) ?? '')
  const loaded = wanted && (await wanted.load())
  if (loaded) loaded.register(program)
  const known = new Set(program.commands.map((command) => command.name()))
  for (const { name, summary } of NOUNS) if (!known.has(name)) program.command(name).description(summary)
  for (const command of [program, ...everyCommand(program)]) prepare(command)
}

/** The first word that is neither a global flag nor its value. */
function firstWord(program: Command, args: readonly string[]): string | undefined {
  for (let i = 0; i < args.length; i += 1) {
    const arg = args[i]!
    if (!arg.startsWith('-')) return arg
    const option = program.options.find(({ long, short }) => long === arg || short === arg)
    if (option?.required) i += 1
  }
  return undefined
}

const everyCommand = (command: Command): Command[] => command.commands.flatMap((child) => [child, ...everyCommand(child)])

/** Errors reach `main`; an option that takes a value also comes from `POSTERN_<NAME>`, and what is typed wins. */
function prepare(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ outputError: () => {}, writeErr: () => {} })
    .helpCommand(false)
  for (const option of command.options) {
    const text = option.required ? environment[`POSTERN_${option.name().replaceAll('-', '_').toUpperCase()}`] : undefined
    if (!text) continue
    const value = option.parseArg ? option.parseArg(text, undefined as never) : text
    command.setOptionValueWithSource(option.attributeName(), value, 'env')
  }
}

async function end(error: unknown, flags: GlobalFlags, jsonVersion: number): Promise<void> {
  if (error instanceof CommanderError) return // help was printed
  const { problemOf, renderProblem, renderProblemJson } = await import('./output/problem.ts')
  const { stdin, stdout, stderr } = process
  const terminal = { stdin: stdin.isTTY, stdout: stdout.isTTY, stderr: stderr.isTTY, columns: stdout.columns }
  const settings = readSettings(flags, jsonVersion, terminal)
  const problem = problemOf(error)
  if (settings.json !== undefined) stdout.write(renderProblemJson(problem))
  stderr.write(renderProblem(problem, error, settings, createStyle({ ...settings, color: settings.color && stderr.isTTY })))
  process.exitCode = EXIT[problem.exit]
}

/** Commander's sentences, with its guess as what to type. */
function asUsageError({ code, message }: CommanderError, program: Command, args: readonly string[]): Error {
  if (code === 'commander.help') return whichVerb(firstWord(program, args) ?? '')
  const [first = '', guess = ''] = message.replace(/^error: /, '').split('\n')
  const [, meant] = /Did you mean (?:one of )?(.+?)\?\)/.exec(guess) ?? []
  return usageError(first, meant ? `did you mean ${meant}?` : 'add --help to see what it takes')
}

const whichVerb = (name: string): Error => usageError(`which one? ${findNoun(name)?.verbs.join(', ') ?? ''}`, `postern ${name} --help`)

/** What `postern --help` shows: every command, by what people want to do. */
export function overview(program: Command): string {
  const rows = GROUPS.flatMap(([group, nouns]) =>
    nouns.map(({ name, verbs, summary }, i) => [i === 0 ? group : '', `${name} ${verbs.join('|')}`.trim(), summary] as const),
  )
  const width = Math.max(...rows.map(([, command]) => command.length))
  const commands = rows.map(([group, command, summary]) => `${group.padEnd(8)}${command.padEnd(width + 2)}${summary}`)
  const options = program.options.map(({ flags, description }) => `  ${flags.padEnd(18)} ${description}`)
  return [
    'postern <command> [options]      verifiable access for agents, without open ports',
    '',
    ...commands,
    '',
    'Options, before or after the command; one that takes a value also comes from POSTERN_<NAME>',
    ...options,
    '',
    'postern <command> --help says more. First steps: postern up, then the genesis command that it prints.',
    '',
  ].join('\n')
}
