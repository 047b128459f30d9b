import { getTranslations } from 'next-intl/server'
import { session } from '../../../_server/session.ts'
import { Messages } from '../../../_ui/messages.tsx'
import { PersonPage } from '../_parts/person-page.tsx'

interface Props {
  readonly params: Promise<{ readonly atsign: string }>
}

export async function generateMetadata({ params }: Props) {
  const name = decodeURIComponent((await params).atsign)
  return { title: `${name} · ${(await getTranslations('shell'))('nav.people')}` }
}

export default async function OnePersonPage({ params }: Props) {
  const who = await session()
  const name = decodeURIComponent((await params).atsign)
  return (
    <Messages of={['people']}>
      <PersonPage name={name} self={who?.actor.atsign ?? ''} isAdmin={who?.actor.role === 'admin'} />
    </Messages>
  )
}
