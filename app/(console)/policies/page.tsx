import { getTranslations } from 'next-intl/server'
import { session } from '../../_server/session.ts'
import { Messages } from '../../_ui/messages.tsx'
import { Policies } from './_parts/policies.tsx'

export async function generateMetadata() {
  return { title: (await getTranslations('shell'))('nav.policies') }
}

export default async function PoliciesPage() {
  const who = await session()
  return (
    <Messages of={['policies']}>
      <Policies isAdmin={who?.actor.role === 'admin'} />
    </Messages>
  )
}
