import { getTranslations } from 'next-intl/server'
import { session } from '../../_server/session.ts'
import { Messages } from '../../_ui/messages.tsx'
import { Fleet } from './_parts/fleet.tsx'

export async function generateMetadata() {
  return { title: (await getTranslations('shell'))('nav.fleet') }
}

export default async function FleetPage() {
  const who = await session()
  return (
    <Messages of={['fleet']}>
      <Fleet isAdmin={who?.actor.role === 'admin'} />
    </Messages>
  )
}
