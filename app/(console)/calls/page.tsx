import { getTranslations } from 'next-intl/server'
import { Messages } from '../../_ui/messages.tsx'
import { Calls } from './_parts/calls.tsx'

export async function generateMetadata() {
  return { title: (await getTranslations('shell'))('nav.calls') }
}

export default function CallsPage() {
  return (
    <Messages of={['calls']}>
      <Calls />
    </Messages>
  )
}
