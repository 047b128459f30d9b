import type { Member } from './shapes.ts'

const COLUMNS = [
  'name',
  'kind',
  'state',
  'reasons',
  'version',
  'policy',
  'last_seen',
  'owner',
  'tags',
  'labels',
  'servers',
  'expires',
] as const

/** RFC 4180, with what a spreadsheet would take for a formula made harmless. atSigns begin with @, so they stand behind an apostrophe too. */
export const csvOf = (members: readonly Member[]): string =>
  [COLUMNS.join(','), ...members.map((member) => rowOf(member).map(cellOf).join(','))].join('\r\n')

const rowOf = (m: Member): readonly string[] => [
  ...[m.atsign, m.kind, m.state, m.reasons.join(' '), m.version ?? '', m.policy === undefined ? '' : `v${m.policy}`],
  ...[timeOf(m.seen), m.owner ?? '', m.tags.join(' '), m.labels.join(' '), m.servers.join(' '), timeOf(m.exp)],
]

const timeOf = (at: number | undefined): string => (at === undefined ? '' : new Date(at * 1000).toISOString())

export function cellOf(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
