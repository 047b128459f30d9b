import { useTranslations } from 'next-intl'
import { Copy } from './copy.tsx'

/** State → its sign and colour. The word comes from the messages: never colour alone. */
const STATES = {
  pending: ['◔', 'text-warn'],
  online: ['●', 'text-ok'],
  degraded: ['◐', 'text-warn'],
  offline: ['○', 'text-muted'],
  expired: ['◇', 'text-muted'],
  suspended: ['⊘', 'text-warn'],
  revoked: ['✕', 'text-danger'],
  ownerless: ['◇', 'text-danger'],
  quarantined: ['⊘', 'text-danger'],
  unpinned: ['◔', 'text-muted'],
  pinned: ['●', 'text-ok'],
} as const
export type ShownState = keyof typeof STATES
export const isShownState = (state: string): state is ShownState => Object.hasOwn(STATES, state)

export function StateChip({ state }: { state: ShownState }) {
  const t = useTranslations('common')
  const [sign, look] = STATES[state]
  return (
    <span className={`inline-flex items-center gap-1 whitespace-nowrap ${look}`}>
      <span aria-hidden="true">{sign}</span>
      {t(`states.${state}`)}
    </span>
  )
}

const DECISIONS = { allow: ['✓', 'text-ok'], deny: ['✕', 'text-danger'], ask: ['?', 'text-warn'] } as const
export type ShownDecision = keyof typeof DECISIONS

export function DecisionChip({ decision }: { decision: ShownDecision }) {
  const t = useTranslations('common')
  const [sign, look] = DECISIONS[decision]
  return (
    <span className={`inline-flex items-center gap-1 font-medium whitespace-nowrap ${look}`}>
      <span aria-hidden="true">{sign}</span>
      {t(`decisions.${decision}`)}
    </span>
  )
}

const RISKS: Readonly<Record<string, string>> = {
  read: 'border-line text-muted',
  write: 'border-line-strong text-ink',
  external: 'border-warn text-warn',
  destructive: 'border-danger text-danger',
  financial: 'border-danger text-danger',
  credential: 'border-danger text-danger',
}

/** Our own risk class of a tool, as people signed it. */
export function RiskChip({ risk }: { risk: string }) {
  const t = useTranslations('common')
  const look = Object.hasOwn(RISKS, risk) ? RISKS[risk]! : 'border-line text-muted'
  return (
    <span className={`rounded border px-1.5 text-xs font-medium whitespace-nowrap ${look}`}>
      {Object.hasOwn(RISKS, risk) ? t(`risks.${risk}`) : risk}
    </span>
  )
}

/** A name of somebody: in monospace, cut only at its end, whole when it is hovered, focused or copied. */
export function NameChip({ name, href, canCopy = false }: { name: string; href?: string; canCopy?: boolean }) {
  const look = 'block max-w-full overflow-hidden font-mono text-[0.8125rem] text-ellipsis whitespace-nowrap'
  return (
    <span className="inline-flex max-w-full min-w-0 items-center gap-1 align-bottom">
      {href ? (
        <a href={href} title={name} className={`${look} hover:underline`}>
          {name}
        </a>
      ) : (
        <span title={name} className={look}>
          {name}
        </span>
      )}
      {canCopy && <Copy text={name} />}
    </span>
  )
}

/** A tag or label. */
export const Tag = ({ children, title }: { children: string; title?: string }) => (
  <span title={title} className="rounded bg-sunken px-1.5 text-xs whitespace-nowrap">
    {children}
  </span>
)

/** A long id in its first characters, whole in its title, with copy. */
export const ShortId = ({ id, chars = 10 }: { id: string; chars?: number }) => (
  <span className="inline-flex items-center gap-1">
    <code title={id} className="font-mono text-xs">
      {id.length > chars ? `${id.slice(0, chars)}…` : id}
    </code>
    <Copy text={id} />
  </span>
)
