import { encodeBase64url } from '@postern/core'
import type { Context, Control } from '../context.ts'
import { actorOf } from '../context.ts'
import type { Transaction } from '../db/open.ts'
import { ControlError } from '../errors.ts'
import { dateOf } from '../time.ts'
import { forgetRoster } from './roster.ts'
import type { Selection } from './search.ts'
import { resolveSelection } from './search.ts'

interface Mark {
  readonly atsign: string
  readonly label: string
}
const MAX_PER_NAME = 16

export interface Relabel {
  readonly selection: Selection
  readonly add: readonly string[]
  readonly remove: readonly string[]
}

/**
 * Puts labels on names and takes them off. Labels are this console's own notes: nobody signs them and no policy sees them (those are tags).
 * @returns the id of the change, for `undoLabels`, and how many names are different now
 * @throws {ControlError} as `resolveSelection`; TOO_MANY labels on one name
 */
export async function relabel(context: Context, { selection, add, remove }: Relabel): Promise<{ change: string; changed: number }> {
  const members = await resolveSelection(context, selection)
  const added = members.flatMap(({ atsign, labels }) => add.filter((label) => !labels.includes(label)).map((label) => ({ atsign, label })))
  const removed = members.flatMap(({ atsign, labels }) =>
    remove.filter((label) => labels.includes(label) && !add.includes(label)).map((label) => ({ atsign, label })),
  )
  const after = (name: string, n: number) => n + count(added, name) - count(removed, name)
  const full = members.find(({ atsign, labels }) => after(atsign, labels.length) > MAX_PER_NAME)
  if (full) throw new ControlError('TOO_MANY', `${full.atsign} would have more than ${MAX_PER_NAME} labels`)
  return change(context, { added, removed })
}

const count = (marks: readonly Mark[], name: string) => marks.filter(({ atsign }) => atsign === name).length

/** Takes one change back: what it added goes, what it removed returns. @throws {ControlError} NOT_FOUND after a day */
export async function undoLabels(context: Context, id: string): Promise<{ change: string; changed: number }> {
  const { org } = actorOf(context)
  const row = await context.control.db.prisma.labelChange.findFirst({ where: { id, org } })
  if (!row) throw new ControlError('NOT_FOUND', 'this change is not known any more')
  return change(context, { added: row.removed as unknown as Mark[], removed: row.added as unknown as Mark[] })
}

async function change(context: Context, { added, removed }: { added: readonly Mark[]; removed: readonly Mark[] }) {
  const { org, atsign } = actorOf(context)
  const { control } = context
  const id = encodeBase64url(control.random(16))
  const now = control.now()
  await control.db.prisma.$transaction(async (tx) => {
    await deleteMarks(tx, org, removed)
    const by = { createdBy: atsign, createdAt: dateOf(now) }
    await tx.label.createMany({ data: added.map((mark) => ({ org, ...mark, ...by })), skipDuplicates: true })
    await tx.labelChange.create({ data: { id, org, added: added as never, removed: removed as never, ...by } })
    await control.bus.publish(tx, { org, kind: 'label', data: {} }, now)
  })
  forgetRoster(control)
  return { change: id, changed: new Set([...added, ...removed].map((mark) => mark.atsign)).size }
}

const deleteMarks = (tx: Transaction, org: string, marks: readonly Mark[]) =>
  marks.length === 0
    ? undefined
    : tx.$executeRaw`DELETE FROM labels USING unnest(${marks.map(({ atsign }) => atsign)}::text[], ${marks.map(({ label }) => label)}::text[]) AS m(atsign, label)
        WHERE labels.org = ${org} AND labels.atsign = m.atsign AND labels.label = m.label`

/** Labels in use, for typeahead. */
export async function listLabels({ db }: Pick<Control, 'db'>, org: string): Promise<{ label: string; count: number }[]> {
  const rows = await db.prisma.label.groupBy({ by: ['label'], where: { org }, _count: true, orderBy: { label: 'asc' }, take: 200 })
  return rows.map(({ label, _count }) => ({ label, count: _count }))
}
