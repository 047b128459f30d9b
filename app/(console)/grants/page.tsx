import { getTranslations } from 'next-intl/server'
import { session } from '../../_server/session.ts'
import { Messages } from '../../_ui/messages.tsx'
import { Grants } from './_parts/grants.tsx'

export async function generateMetadata() {
  return { title: (await getTranslations('shell'))('nav.grants') }
}

export default async function GrantsPage() {
  const who = await session()
  return (
    <Messages of={['grants']}>
      <Grants isAdmin={who?.actor.role === 'admin'} />
    </Messages>
  )
}
