import { getTranslations } from 'next-intl/server'
import { session } from '../../_server/session.ts'
import { theme } from '../../_server/theme.ts'
import { Messages } from '../../_ui/messages.tsx'
import { Settings } from './_parts/settings.tsx'

export async function generateMetadata() {
  return { title: (await getTranslations('shell'))('nav.settings') }
}

export default async function SettingsPage() {
  const who = await session()
  return (
    <Messages of={['settings', 'people']}>
      <Settings atsign={who?.actor.atsign ?? ''} isAdmin={who?.actor.role === 'admin'} theme={await theme()} />
    </Messages>
  )
}
