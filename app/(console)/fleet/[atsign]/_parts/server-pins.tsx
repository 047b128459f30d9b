'use client'
import { useQuery } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { problemOf, useTRPC, useTRPCClient } from '../../../../_trpc/client.tsx'
import { Button } from '../../../../_ui/button.tsx'
import { RiskChip } from '../../../../_ui/chip.tsx'
import { CliLine } from '../../../../_ui/cli-line.tsx'
import { Failure } from '../../../../_ui/failure.tsx'
import { inputClass } from '../../../../_ui/field.tsx'
import { Notice } from '../../../../_ui/notice.tsx'
import { Section } from '../../../../_ui/page.tsx'
import { shellWord } from '../../../../_ui/shell-word.ts'
import { SignButton } from '../../../../_ui/sign-button.tsx'
import { Skeleton } from '../../../../_ui/skeleton.tsx'
import { Time } from '../../../../_ui/time.tsx'
import { Untrusted } from '../../../../_ui/untrusted.tsx'
import { markedText } from '../../../../_ui/untrusted-text.ts'
import { DefinitionDialog } from './definition-dialog.tsx'
import type { PinnedServer, Risk, SeenTool } from './shapes.ts'

const MAX_TOOLS = 100

/** A gateway's servers: what they say, what we signed about it, and pinning many tools with one statement. */
export function ServerPins({ gateway, isAdmin }: { gateway: string; isAdmin: boolean }) {
  const t = useTranslations('entity')
  const trpc = useTRPC()
  const pins = useQuery(trpc.fleet.pins.queryOptions({ atsign: gateway }))
  return (
    <Section title={t('pins.title')}>
      <p className="text-xs text-muted">{t('pins.note')}</p>
      {pins.error ? (
        <Failure problem={problemOf(pins.error)} retry={() => void pins.refetch()} />
      ) : !pins.data ? (
        <Skeleton label={t('loading')} lines={4} />
      ) : pins.data.servers.length === 0 ? (
        <p className="text-muted">{t('pins.empty')}</p>
      ) : (
        pins.data.servers.map((server) => (
          <Server key={server.server} gateway={gateway} server={server} risks={pins.data.risks as readonly Risk[]} isAdmin={isAdmin} />
        ))
      )}
    </Section>
  )
}

interface ServerProps {
  readonly gateway: string
  readonly server: PinnedServer
  readonly risks: readonly Risk[]
  readonly isAdmin: boolean
}

function Server({ gateway, server: { server, tools, reported, taken }, risks, isAdmin }: ServerProps) {
  const t = useTranslations('entity')
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const [risk, setRisk] = useState<Readonly<Record<string, Risk | undefined>>>({})
  const [shown, setShown] = useState<string>()
  const mayPin = isAdmin && taken === undefined
  const choosable = tools.filter((tool) => tool.pinnable || tool.state === 'gone').map(({ name }) => name)
  const picked = tools.filter(({ name }) => chosen.has(name))
  const riskOf = (tool: SeenTool) => risk[tool.name] ?? (tool.risk as Risk | undefined)
  const toggle = (name: string) => {
    const next = new Set(chosen)
    if (!next.delete(name)) next.add(name)
    setChosen(next)
  }
  return (
    <div className="flex flex-col gap-3 border-line border-t pt-3 first-of-type:border-0">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="font-mono font-semibold">
          <Untrusted text={server} max={64} />
        </h3>
        <span className="text-muted">{t('pins.tools', { count: tools.length })}</span>
        <span className="text-xs text-muted">
          {reported === undefined ? (
            t('pins.notReported')
          ) : (
            <>
              {t('pins.reported')} <Time at={reported} />
            </>
          )}
        </span>
      </div>
      {taken !== undefined && <Notice tone="warn" title={t('pins.taken', { gateway: taken })} />}
      <ul className="flex flex-col">
        {mayPin && choosable.length > 1 && (
          <li className="border-line border-b py-2">
            <label className="inline-flex min-h-6 items-center gap-2 text-xs text-muted">
              <input
                type="checkbox"
                className="size-4 accent-accent"
                checked={choosable.every((name) => chosen.has(name))}
                onChange={() => setChosen(choosable.every((name) => chosen.has(name)) ? new Set() : new Set(choosable))}
              />
              {t('pins.chooseAll')}
            </label>
          </li>
        )}
        {tools.map((tool) => (
          <li
            key={tool.name}
            className="grid grid-cols-[auto_1fr] gap-x-3 gap-y-1 border-line border-b py-2 last:border-0 sm:grid-cols-[auto_minmax(0,1fr)_auto]"
          >
            {mayPin ? (
              <input
                type="checkbox"
                aria-label={t('pins.choose', { name: markedText(tool.name, 64) })}
                className="mt-1 size-4 accent-accent disabled:opacity-40"
                disabled={!choosable.includes(tool.name)}
                checked={chosen.has(tool.name)}
                onChange={() => toggle(tool.name)}
              />
            ) : (
              <span />
            )}
            <ToolText tool={tool} />
            <div className="flex flex-wrap items-center gap-2 max-sm:col-start-2">
              <Button
                look="quiet"
                onClick={() => setShown(tool.name)}
                aria-label={t(tool.state === 'changed' ? 'pins.compare' : 'pins.show', { name: markedText(tool.name, 64) })}
              >
                {t(tool.state === 'changed' ? 'pins.compareShort' : 'pins.showShort')}
              </Button>
              {mayPin && tool.pinnable ? (
                <select
                  aria-label={t('pins.riskOf', { name: markedText(tool.name, 64) })}
                  value={riskOf(tool) ?? ''}
                  onChange={(event) => {
                    setRisk({ ...risk, [tool.name]: (event.target.value || undefined) as Risk | undefined })
                    if (!chosen.has(tool.name)) toggle(tool.name)
                  }}
                  className={`${inputClass} w-36!`}
                >
                  <option value="">{t('pins.riskNone')}</option>
                  {risks.map((one) => (
                    <option key={one} value={one}>
                      {one}
                    </option>
                  ))}
                </select>
              ) : (
                tool.risk !== undefined && <RiskChip risk={tool.risk} />
              )}
            </div>
          </li>
        ))}
      </ul>
      {!isAdmin && <p className="text-xs text-muted">{t('pins.adminsOnly')}</p>}
      {mayPin && picked.length > 0 && (
        <PinBar
          gateway={gateway}
          server={server}
          picked={picked}
          risks={risks}
          riskOf={riskOf}
          onRisk={(all) => setRisk({ ...risk, ...all })}
          onDone={() => setChosen(new Set())}
        />
      )}
      {shown !== undefined && <DefinitionDialog gateway={gateway} server={server} tool={shown} onClose={() => setShown(undefined)} />}
    </div>
  )
}

const LOOKS = { pinned: ['●', 'text-ok'], unpinned: ['◔', 'text-muted'], changed: ['⊘', 'text-danger'], gone: ['◇', 'text-muted'] } as const

/** What the server claims, marked as such, beside our pin. */
function ToolText({ tool }: { tool: SeenTool }) {
  const t = useTranslations('entity')
  const [sign, look] = LOOKS[tool.state]
  return (
    <div className="flex min-w-0 flex-col gap-0.5">
      <span className="flex flex-wrap items-center gap-x-3">
        <span className="font-mono text-xs font-medium break-all">
          <Untrusted text={tool.name} max={128} />
        </span>
        <span title={t(`pins.stateMeans.${tool.state}`)} className={`inline-flex items-center gap-1 text-xs ${look}`}>
          <span aria-hidden="true">{sign}</span>
          {t(`pins.states.${tool.state}`)}
        </span>
        {tool.state !== 'gone' && (
          <span className="text-xs text-muted">
            {tool.hints.length === 0
              ? t('pins.noHints')
              : `${t('pins.claimed')} ${tool.hints.map((hint) => t(`pins.hints.${hint as 'readOnlyHint'}`)).join(', ')}`}
          </span>
        )}
      </span>
      {tool.description !== undefined && (
        <span className="line-clamp-2 text-xs text-muted">
          <Untrusted text={tool.description} max={300} />
        </span>
      )}
      {tool.state === 'changed' && <span className="text-xs font-medium text-danger">{t('pins.stateMeans.changed')}</span>}
      {!tool.pinnable && tool.state !== 'gone' && (
        <span className="text-xs text-warn">{t(tool.digest === undefined ? 'pins.undigestable' : 'pins.unnameable')}</span>
      )}
    </div>
  )
}

interface PinBarProps {
  readonly gateway: string
  readonly server: string
  readonly picked: readonly SeenTool[]
  readonly risks: readonly Risk[]
  readonly riskOf: (tool: SeenTool) => Risk | undefined
  readonly onRisk: (risks: Readonly<Record<string, Risk>>) => void
  readonly onDone: () => void
}

/** Pins what was chosen, or takes pins away, in one statement. */
function PinBar({ gateway, server, picked, risks, riskOf, onRisk, onDone }: PinBarProps) {
  const t = useTranslations('entity')
  const client = useTRPCClient()
  const pinnable = picked.filter(({ pinnable: can }) => can)
  const pinned = picked.filter(({ state }) => state !== 'unpinned')
  const isUnpinOnly = pinnable.length === 0
  const missing = pinnable.some((tool) => riskOf(tool) === undefined)
  const blocked = picked.length > MAX_TOOLS ? t('pins.tooMany', { max: MAX_TOOLS }) : missing ? t('pins.pick') : undefined
  const common = new Set(pinnable.map(riskOf)).size === 1 && pinnable[0] ? riskOf(pinnable[0]) : undefined
  const words = pinnable.map(({ name }) => shellWord(name)).join(' ')
  const pin = () =>
    client.fleet.draftPin.mutate({
      ...{ gateway, server, unset: [] },
      set: pinnable.map((tool) => ({ name: tool.name, digest: tool.digest!, risk: riskOf(tool)! })),
    })
  const unpin = () => client.fleet.draftPin.mutate({ gateway, server, set: [], unset: pinned.map(({ name }) => name) })
  return (
    <section
      aria-label={t('pins.chosen', { count: picked.length })}
      className="flex flex-col gap-3 rounded-md border border-accent bg-accent-soft p-3"
    >
      <div className="flex flex-wrap items-center gap-3">
        <span role="status" className="font-medium">
          {t('pins.chosen', { count: picked.length })}
        </span>
        {pinnable.length > 1 && (
          <label className="inline-flex items-center gap-2 text-xs">
            {t('pins.riskAll')}
            <select
              value={common ?? ''}
              onChange={(event) =>
                event.target.value && onRisk(Object.fromEntries(pinnable.map(({ name }) => [name, event.target.value as Risk])))
              }
              className={`${inputClass} w-36!`}
            >
              <option value="">{t('pins.riskNone')}</option>
              {risks.map((one) => (
                <option key={one} value={one}>
                  {one}
                </option>
              ))}
            </select>
          </label>
        )}
      </div>
      <div className="flex flex-wrap items-start gap-3">
        {!isUnpinOnly && (
          <SignButton draft={pin} blocked={blocked} onDone={onDone}>
            {t('pins.pin', { count: pinnable.length })}
          </SignButton>
        )}
        {pinned.length > 0 && (
          <SignButton draft={unpin} look="danger" onDone={onDone}>
            {t('pins.unpin', { count: pinned.length })}
          </SignButton>
        )}
      </div>
      {!isUnpinOnly && (
        <CliLine command={`postern tools pin ${shellWord(server)} ${words} --risk ${common ?? '<class>'} --gateway ${gateway}`} />
      )}
      {isUnpinOnly && (
        <CliLine command={`postern tools pin ${shellWord(server)} ${pinned.map(({ name }) => shellWord(name)).join(' ')} --unpin`} />
      )}
    </section>
  )
}
