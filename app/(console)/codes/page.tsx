import { getTranslations } from 'next-intl/server'
import { session } from '../../_server/session.ts'
import { Messages } from '../../_ui/messages.tsx'
import { Codes } from './_parts/codes.tsx'

export async function generateMetadata() {
  return { title: (await getTranslations('shell'))('nav.codes') }
}

export default async function CodesPage() {
  const who = await session()
  return (
    <Messages of={['codes', 'inbox']}>
      <Codes isAdmin={who?.actor.role === 'admin'} atsign={who?.actor.atsign ?? ''} />
    </Messages>
  )
}
