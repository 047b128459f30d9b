import { notFound } from 'next/navigation'
import { getTranslations } from 'next-intl/server'
import { session } from '../../../../../_server/session.ts'
import { Messages } from '../../../../../_ui/messages.tsx'
import { VersionPage } from '../../../_parts/version-page.tsx'

interface Props {
  readonly params: Promise<{ readonly name: string; readonly seq: string }>
}

export async function generateMetadata({ params }: Props) {
  const { name, seq } = await params
  return { title: (await getTranslations('policies'))('version.title', { name, seq }) }
}

export default async function PolicyVersionPage({ params }: Props) {
  const [{ seq }, who] = await Promise.all([params, session()])
  if (!/^[1-9]\d{0,9}$/.test(seq)) notFound()
  return (
    <Messages of={['policies']}>
      <VersionPage seq={Number(seq)} isAdmin={who?.actor.role === 'admin'} />
    </Messages>
  )
}
