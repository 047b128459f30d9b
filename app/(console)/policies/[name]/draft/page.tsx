import { getTranslations } from 'next-intl/server'
import { session } from '../../../../_server/session.ts'
import { Messages } from '../../../../_ui/messages.tsx'
import { DraftPage } from '../../_parts/draft-page.tsx'

interface Props {
  readonly params: Promise<{ readonly name: string }>
}

export async function generateMetadata({ params }: Props) {
  const { name } = await params
  return { title: (await getTranslations('policies'))('draft.title', { name }) }
}

export default async function PolicyDraftPage({ params }: Props) {
  const [{ name }, who] = await Promise.all([params, session()])
  return (
    <Messages of={['policies']}>
      <DraftPage name={name} me={who?.actor.atsign ?? ''} isAdmin={who?.actor.role === 'admin'} />
    </Messages>
  )
}
