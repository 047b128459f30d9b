import { getTranslations } from 'next-intl/server'
import { session } from '../../_server/session.ts'
import { Messages } from '../../_ui/messages.tsx'
import { People } from './_parts/people.tsx'

export async function generateMetadata() {
  return { title: (await getTranslations('shell'))('nav.people') }
}

export default async function PeoplePage() {
  const who = await session()
  return (
    <Messages of={['people']}>
      <People isAdmin={who?.actor.role === 'admin'} />
    </Messages>
  )
}
