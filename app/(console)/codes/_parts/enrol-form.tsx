'use client'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useTranslations } from 'next-intl'
import { useState } from 'react'
import { problemOf, useTRPC, useTRPCClient } from '../../../_trpc/client.tsx'
import { Button } from '../../../_ui/button.tsx'
import { CliLine } from '../../../_ui/cli-line.tsx'
import { Failure } from '../../../_ui/failure.tsx'
import { SelectField, TextField } from '../../../_ui/field.tsx'
import { openSigner } from '../../../_ui/open-signer.ts'
import { CLIENTS, clientOf } from './clients.ts'
import type { EnrolKind, Wish } from './enrol-dialog.tsx'
import type { Made } from './shapes.ts'

const EXAMPLE_SERVER = 'fs'

const NAME = /^@[a-z0-9][a-z0-9_-]{0,54}$/
const SERVER = /^[a-z0-9][a-z0-9._-]{0,63}$/
const TAG = /^[a-z0-9][a-z0-9_-]{0,31}$/
const MINUTES = ['15', '60'] as const

interface Props {
  readonly kind: EnrolKind
  readonly atsign: string
  readonly isAdmin: boolean
  readonly onMade: (made: Made & Wish) => void
  readonly onCode: (id: string) => Promise<unknown>
}

/** Names and tags are suggestions to whoever signs; nothing here is decided. */
export function EnrolForm({ kind, atsign, isAdmin, onMade, onCode }: Props) {
  const t = useTranslations('codes')
  const trpc = useTRPC()
  const api = useTRPCClient()
  const queries = useQueryClient()
  const facets = useQuery({ ...trpc.fleet.facets.queryOptions(), enabled: kind === 'agent' })
  const known = facets.data?.server ?? []
  const [client, setClient] = useState('claude-desktop')
  const [isPersons, setPersons] = useState(true)
  const [typedName, setName] = useState<string>()
  const [typedServer, setServer] = useState<string>()
  const [tags, setTags] = useState('')
  const [minutes, setMinutes] = useState<string>(kind === 'person' ? '60' : '15')
  const [isTried, setTried] = useState(false)

  const suggested = kind === 'agent' && isPersons ? `${atsign}-${clientOf(client).suffix}`.slice(0, 56) : ''
  const name = typedName ?? suggested
  const server = typedServer ?? (kind === 'agent' ? (known[0] ?? '') : kind === 'gateway' ? EXAMPLE_SERVER : '')
  const wanted = tags.split(/[\s,]+/).filter(Boolean)
  const badTag = wanted.find((tag) => !TAG.test(tag))
  const badName = kind !== 'person' && name !== '' && !NAME.test(name)
  const badServer = kind !== 'person' && !SERVER.test(server) && !(kind === 'gateway' && server === '')
  const isBad = badTag !== undefined || badName || badServer

  const make = useMutation({
    mutationFn: () =>
      openSigner(
        () =>
          api.enrolment.createJoin.mutate({
            ...{ kind, tags: wanted, minutes: Number(minutes) },
            ...(kind !== 'person' && name ? { name } : {}),
            ...(kind !== 'person' && server ? { server } : {}),
            ...(kind === 'agent' && client !== 'other' ? { client } : {}),
          }),
        async (made) => {
          onMade({ ...made, server, client })
          await onCode(made.id)
        },
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: [['enrolment', 'codes']] }),
  })
  const submit = () => {
    setTried(true)
    if (!isBad) make.mutate()
  }
  return (
    <form
      noValidate
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault()
        submit()
      }}
    >
      {kind === 'agent' && <ClientTiles chosen={client} onChange={setClient} />}
      {kind === 'agent' && (
        <SelectField
          label={t('form.runs')}
          value={isPersons ? 'me' : 'service'}
          onChange={(event) => setPersons(event.target.value === 'me')}
        >
          <option value="me">{t('form.runsMe', { atsign })}</option>
          {isAdmin && <option value="service">{t('form.runsService')}</option>}
        </SelectField>
      )}
      {kind !== 'person' && (
        <div className="grid gap-4 sm:grid-cols-2">
          <TextField
            label={t(`form.name.${kind}`)}
            hint={t(`form.nameHint.${kind}`)}
            error={badName ? t('form.badName') : undefined}
            value={name}
            placeholder={kind === 'gateway' ? '@gw-paris' : '@ci-bot'}
            onChange={(event) => setName(event.target.value.trim().toLowerCase())}
            spellCheck={false}
            autoCapitalize="off"
          />
          <TextField
            label={t(`form.server.${kind}`)}
            hint={t(`form.serverHint.${kind}`)}
            error={badServer && (isTried || server !== '') ? t('form.badServer') : undefined}
            value={server}
            list="known-servers"
            placeholder={EXAMPLE_SERVER}
            onChange={(event) => setServer(event.target.value.trim().toLowerCase())}
            spellCheck={false}
            autoCapitalize="off"
          />
          <datalist id="known-servers">
            {known.map((each) => (
              <option key={each} value={each} />
            ))}
          </datalist>
        </div>
      )}
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField
          label={t('form.tags')}
          hint={t('form.tagsHint')}
          error={badTag === undefined ? undefined : t('form.badTag', { tag: badTag })}
          value={tags}
          onChange={(event) => setTags(event.target.value)}
          spellCheck={false}
          autoCapitalize="off"
        />
        <SelectField
          label={t('form.minutes')}
          hint={t('form.minutesHint')}
          value={minutes}
          onChange={(event) => setMinutes(event.target.value)}
        >
          {MINUTES.map((each) => (
            <option key={each} value={each}>
              {t('form.minutesOf', { minutes: Number(each) })}
            </option>
          ))}
        </SelectField>
      </div>
      {make.error && <Failure problem={problemOf(make.error)} />}
      <div className="flex flex-col items-start gap-2">
        <Button type="submit" look="primary" disabled={make.isPending}>
          {make.isPending ? t('form.making') : t('form.make')}
        </Button>
        <p className="text-xs text-muted">{t('form.why')}</p>
      </div>
      <CliLine command={`npx postern code new ${kind}${wanted.length > 0 ? ` --tags ${wanted.join(',')}` : ''} --minutes ${minutes}`} />
    </form>
  )
}

function ClientTiles({ chosen, onChange }: { chosen: string; onChange: (id: string) => void }) {
  const t = useTranslations('codes')
  return (
    <fieldset>
      <legend className="mb-1 text-sm font-medium">{t('form.client')}</legend>
      <div className="grid grid-cols-2 gap-2 sm:grid-cols-3">
        {CLIENTS.map(({ id, title }) => (
          <label
            key={id}
            className="flex min-h-11 cursor-pointer items-center gap-2 rounded-md border border-line px-3 has-checked:border-accent has-checked:bg-accent-soft has-focus-visible:outline-2 has-focus-visible:outline-accent"
          >
            <input type="radio" name="client" value={id} checked={id === chosen} onChange={() => onChange(id)} className="accent-accent" />
            {id === 'other' ? t('form.otherClient') : title}
          </label>
        ))}
      </div>
    </fieldset>
  )
}
