import type { Action, Subject } from './action.ts'
import type { Plan, Rule, Who } from './document.ts'

/**
 * Why a rule has nothing to do with a call, or `in` when it has. Arguments come later. `unsure`: the rule restricts a risk class,
 * and the tool has none, so it could be of that class: the rule restricts, but permits nothing.
 */
export type Scope = 'in' | 'unsure' | 'off' | 'who' | 'server' | 'tool' | 'risk'

type Target = Pick<Action, 'server' | 'tool' | 'risk'>

export function scopeOf(rule: Rule, subject: Subject, { server, tool, risk }: Target): Scope {
  if (rule.off) return 'off'
  if (!isAbout(rule.who, subject)) return 'who'
  if (rule.servers !== undefined && !rule.servers.has(server)) return 'server'
  if (rule.tools.any || rule.tools.names.has(tool)) return 'in'
  if (rule.tools.risks.size === 0) return 'tool'
  if (risk !== undefined) return rule.tools.risks.has(risk) ? 'in' : 'risk'
  return rule.effect === 'allow' ? 'risk' : 'unsure'
}

/** Whether a rule's `who` names this agent, by name, tag or group. */
export function isAbout(who: Who, { atsign, tags }: Pick<Subject, 'atsign' | 'tags'>): boolean {
  if (who.anyone || who.atsigns.has(atsign)) return true
  if (who.tags.size > 0) for (const tag of tags) if (who.tags.has(tag)) return true
  for (const members of who.groups) if (members.has(atsign)) return true
  return false
}

/** The rules that can be in scope for a tool. A rule may stand in two of the lists; considering it twice changes nothing. */
export function rulesFor(plan: Plan, { tool, risk }: Target): readonly (readonly Rule[])[] {
  const byRisk = risk === undefined ? plan.anyRisk : plan.byRisk.get(risk)
  return [plan.byName.get(tool) ?? [], byRisk ?? [], plan.anyTool]
}
