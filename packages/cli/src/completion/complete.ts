import type { Command, Option } from 'commander'
import type { Environment } from '../config.ts'
import { CONSOLE_PAGES } from '../console-pages.ts'
import type { Noun } from '../nouns.ts'
import { findNoun, NOUNS } from '../nouns.ts'
import { escapeText } from '../output/escape.ts'
import { SCRIPTS } from './scripts.ts'
import type { Candidate, LiveSource } from './sources.ts'

/** Where the words of an argument come from. */
type Source = LiveSource | 'local agents' | 'local gateways' | 'clients' | 'kinds' | 'edge kinds' | 'shells' | 'pages'

/** Command → what its arguments are, in order; the last one repeats. Those that are not here are files or free text. */
const ARGUMENTS: Readonly<Record<string, readonly (readonly Source[])[]>> = {
  'agent show': [['agents']],
  'agent suspend': [['agents']],
  'agent release': [['agents']],
  'agent revoke': [['agents']],
  'gateway show': [['gateways']],
  'gateway suspend': [['gateways']],
  'gateway release': [['gateways']],
  'gateway revoke': [['gateways']],
  'gateway run': [['local gateways']],
  'people revoke': [['people']],
  'code new': [['kinds']],
  'code void': [['codes']],
  'invite new': [['edge kinds']],
  'client add': [['clients'], []],
  'client remove': [['clients'], []],
  'client verify': [['clients'], []],
  'client print': [['clients'], []],
  approve: [['held', 'enrolments']],
  refuse: [['held', 'enrolments', 'requests']],
  sign: [['requests']],
  completion: [['shells']],
  open: [['pages']],
}

/** Options by name, whichever command they belong to. */
const OPTIONS: Readonly<Record<string, Source>> = {
  '--agent': 'local agents',
  '--gateway': 'local gateways',
  '--owner': 'people',
}

const words = (...values: string[]): readonly Candidate[] => values.map((value) => ({ value, about: '' }))

/** Each source is loaded when it is wanted: the shell waits. */
async function wordsOf(source: Source, environment: Environment): Promise<readonly Candidate[]> {
  if (source === 'local agents' || source === 'local gateways') {
    const { localEdges } = await import('../local.ts')
    return words(...(await localEdges(source === 'local agents' ? 'agent' : 'gateway', environment)))
  }
  if (source === 'clients') {
    const { CLIENTS } = await import('../clients.ts')
    return CLIENTS.map(({ name, title }) => ({ value: name, about: title }))
  }
  if (source === 'kinds') return words('gateway', 'agent', 'person')
  if (source === 'edge kinds') return words('gateway', 'agent')
  if (source === 'shells') return words(...Object.keys(SCRIPTS))
  if (source === 'pages') return words(...CONSOLE_PAGES)
  return (await import('./sources.ts')).live(source, environment)
}

/**
 * What may come next on this command line.
 * @param typed Words behind `postern`; the last one is being typed and may be empty.
 * @param program Without commands.
 */
export async function complete(program: Command, typed: readonly string[], environment: Environment): Promise<readonly Candidate[]> {
  const begun = typed.at(-1) ?? ''
  const before = typed.slice(0, -1)
  const isPlain = ![...before, begun].some((word) => word.startsWith('-')) // then no command need be loaded, which takes most of the time
  const place = isPlain ? placeOf(before) : await follow(program, before)
  const found = await candidates({ ...place, program, begun, environment })
  return found.filter(({ value }) => value.startsWith(begun) && /^[\w@.,:+/=-]+$/.test(value))
}

interface Place {
  /** Undefined: no command was typed yet. */
  readonly noun: Noun | undefined
  /** `agent show`; or the noun alone. */
  readonly path: string
  /** How many arguments stand there. */
  readonly operands: number
  /** Loaded, where options matter. */
  readonly command?: Command | undefined
  /** The option whose value comes next. */
  readonly wants?: Option | undefined
}

function placeOf([first, ...rest]: readonly string[]): Place {
  const noun = findNoun(first ?? '')
  const verb = noun?.verbs.find((one) => one === rest[0])
  const path = [noun?.name, verb].filter(Boolean).join(' ')
  return { noun, path, operands: noun || first === undefined ? rest.length - (verb ? 1 : 0) : 1 }
}

/** As `placeOf`, past options and their values. */
async function follow(program: Command, before: readonly string[]): Promise<Place> {
  let command: Command | undefined
  let wants: Option | undefined
  const plain: string[] = []
  for (const word of before) {
    const options = [...program.options, ...(command?.options ?? [])]
    if (wants) wants = undefined
    else if (word.startsWith('-')) wants = options.find(({ long, short, required }) => required && (long === word || short === word))
    else {
      plain.push(word)
      const noun = command ? undefined : findNoun(word)
      if (noun) (await noun.load()).register(program)
      command = (command ?? program).commands.find((one) => one.name() === word) ?? command
    }
  }
  return { ...placeOf(plain), command, wants }
}

interface Asked extends Place {
  readonly program: Command
  readonly begun: string
  readonly environment: Environment
}

async function candidates({ program, noun, command, path, operands, wants, begun, environment }: Asked): Promise<readonly Candidate[]> {
  if (wants?.long === '--color') return words('auto', 'always', 'never')
  if (wants) return wants.long && Object.hasOwn(OPTIONS, wants.long) ? wordsOf(OPTIONS[wants.long]!, environment) : []
  if (begun.startsWith('-')) {
    const options = [...(command?.options ?? []), ...program.options]
    return options.map(({ long, short, description }) => ({ value: long ?? short!, about: description }))
  }
  if (!noun) return operands > 0 ? [] : NOUNS.map(({ name, summary }) => ({ value: name, about: summary }))
  const verbs = operands === 0 && path === noun.name ? words(...noun.verbs) : []
  const sources = Object.hasOwn(ARGUMENTS, path) ? ARGUMENTS[path]! : []
  const lists = await Promise.all((sources[operands] ?? sources.at(-1) ?? []).map((source) => wordsOf(source, environment)))
  return [...verbs, ...lists.flat()]
}

/** One candidate per line, with what it is behind a tab. Silent whatever happens. */
export async function printCompletion(program: Command, typed: readonly string[], environment: Environment): Promise<void> {
  const found = await complete(program, typed, environment).catch(() => [])
  process.stdout.write(found.map(({ value, about }) => `${value}\t${escapeText(about)}\n`).join(''))
}
