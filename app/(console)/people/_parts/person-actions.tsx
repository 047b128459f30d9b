'use client'
import Link from 'next/link'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { useTRPCClient } from '../../../_trpc/client.tsx'
import { Button, buttonClass } from '../../../_ui/button.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Dialog } from '../../../_ui/dialog.tsx'
import { SelectField, TextField } from '../../../_ui/field.tsx'
import { Section } from '../../../_ui/page.tsx'
import { SignButton } from '../../../_ui/sign-button.tsx'
import type { PersonDetail } from './shapes.ts'

const HOURS = [1, 8, 24, 72] as const
type Act = 'suspend' | 'revoke' | 'removeAdmin'

/** What an administrator can do about a person. Suspending stands before revoking, which takes typing the name; all of it is signed. */
export function PersonActions({ person }: { person: PersonDetail }) {
  const t = useTranslations('people')
  const [act, setAct] = useState<Act>()
  const { role, state, admins } = person
  const isGone = state === 'revoked'
  return (
    <Section title={t('actions.title')}>
      <div className="flex flex-wrap items-start gap-2">
        {!isGone && <Button onClick={() => setAct('suspend')}>{t('actions.suspend')}</Button>}
        {!isGone && (
          <Button look="danger" onClick={() => setAct('revoke')}>
            {t('actions.revoke')}
          </Button>
        )}
        {role === 'admin' && admins > 1 && (
          <Button look="danger" onClick={() => setAct('removeAdmin')}>
            {t('actions.removeAdmin')}
          </Button>
        )}
        <Link href="/codes?new=person" className={buttonClass()}>
          {t(role === 'admin' ? 'actions.newKeys' : 'actions.makeAdmin')}
        </Link>
      </div>
      {role === 'admin' && admins < 2 && <p className="text-sm text-muted">{t('actions.lastAdmin')}</p>}
      <p className="max-w-prose text-sm text-muted">{t(role === 'admin' ? 'actions.newKeysHow' : 'actions.makeAdminHow')}</p>
      {act && (
        <Dialog title={t(`actions.${act}`)} open onOpenChange={(open) => !open && setAct(undefined)}>
          {act === 'suspend' && <Suspend person={person} />}
          {act === 'revoke' && <Revoke person={person} />}
          {act === 'removeAdmin' && <RemoveAdmin person={person} />}
        </Dialog>
      )}
    </Section>
  )
}

function Falling({ person: { atsign, owns } }: { person: PersonDetail }) {
  const t = useTranslations('people')
  if (owns.length === 0) return <p>{t('actions.alone', { atsign })}</p>
  return <p>{t('actions.falling', { atsign, count: owns.length, names: owns.map((agent) => agent.atsign).join(', ') })}</p>
}

function Suspend({ person }: { person: PersonDetail }) {
  const t = useTranslations('people')
  const api = useTRPCClient()
  const [reason, setReason] = useState('')
  const [hours, setHours] = useState('24')
  const { atsign, enrolment } = person
  const draft = () =>
    api.requests.draftRevocation.mutate({
      targets: [{ kind: 'enrolment', id: enrolment }],
      reason: reason.trim() || t('actions.noReason'),
      until: Math.floor(Date.now() / 1000) + Number(hours) * 3600,
      back: `/people/${atsign}`,
    })
  return (
    <>
      <Falling person={person} />
      <p className="text-muted">{t('actions.reversible')}</p>
      <SelectField label={t('actions.hours')} value={hours} onChange={(event) => setHours(event.target.value)}>
        {HOURS.map((each) => (
          <option key={each} value={each}>
            {t('actions.hoursOf', { hours: each })}
          </option>
        ))}
      </SelectField>
      <Reason value={reason} onChange={setReason} />
      <SignButton draft={draft}>{t('actions.suspendNow')}</SignButton>
    </>
  )
}

function Revoke({ person }: { person: PersonDetail }) {
  const t = useTranslations('people')
  const api = useTRPCClient()
  const [reason, setReason] = useState('')
  const [typed, setTyped] = useState('')
  const { atsign, enrolment, role } = person
  const draft = () =>
    api.requests.draftRevocation.mutate({
      ...{ targets: [{ kind: 'enrolment' as const, id: enrolment }], back: `/people/${atsign}` },
      reason: reason.trim() || t('actions.noReason'),
    })
  return (
    <>
      <Falling person={person} />
      <p className="font-medium">{t('actions.final')}</p>
      {role === 'admin' && <p>{t('actions.alsoRemove')}</p>}
      <Reason value={reason} onChange={setReason} />
      <Typed name={atsign} value={typed} onChange={setTyped} />
      <SignButton look="danger" draft={draft} blocked={typed === atsign ? undefined : t('actions.typeFirst')}>
        {t('actions.revokeNow')}
      </SignButton>
      <CliLine command={`npx postern people revoke ${atsign}`} />
    </>
  )
}

function RemoveAdmin({ person }: { person: PersonDetail }) {
  const t = useTranslations('people')
  const api = useTRPCClient()
  const [typed, setTyped] = useState('')
  const { atsign, admins } = person
  return (
    <>
      <Falling person={person} />
      <p className="font-medium">{t('actions.removes', { atsign, left: admins - 1 })}</p>
      <Typed name={atsign} value={typed} onChange={setTyped} />
      <SignButton
        look="danger"
        draft={() => api.requests.draft.mutate({ op: 'admin.remove', body: { atsign }, back: '/people' })}
        blocked={typed === atsign ? undefined : t('actions.typeFirst')}
      >
        {t('actions.removeNow')}
      </SignButton>
      <CliLine command={`npx postern people revoke ${atsign} --remove`} />
    </>
  )
}

function Reason({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const t = useTranslations('people')
  return (
    <TextField
      label={t('actions.reason')}
      hint={t('actions.reasonHint')}
      maxLength={280}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  )
}

function Typed({ name, value, onChange }: { name: string; value: string; onChange: (value: string) => void }) {
  const t = useTranslations('people')
  return (
    <TextField
      label={t('actions.typeName', { name })}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      spellCheck={false}
      autoCapitalize="off"
      autoComplete="off"
    />
  )
}
