import { getTranslations } from 'next-intl/server'
import { Messages } from '../../_ui/messages.tsx'
import { Inbox } from './_parts/inbox.tsx'

export async function generateMetadata() {
  return { title: (await getTranslations('shell'))('nav.inbox') }
}

export default function InboxPage() {
  return (
    <Messages of={['inbox']}>
      <Inbox />
    </Messages>
  )
}
