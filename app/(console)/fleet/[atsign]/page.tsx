import { getTranslations } from 'next-intl/server'
import { session } from '../../../_server/session.ts'
import { Messages } from '../../../_ui/messages.tsx'
import { Entity } from './_parts/entity.tsx'

interface Props {
  readonly params: Promise<{ readonly atsign: string }>
}
const nameOf = async ({ params }: Props): Promise<string> => decodeURIComponent((await params).atsign)

export async function generateMetadata(props: Props) {
  const t = await getTranslations('shell')
  return { title: `${(await nameOf(props)).slice(0, 56)} · ${t('nav.fleet')}` }
}

export default async function EntityPage(props: Props) {
  const who = await session()
  return (
    <Messages of={['entity', 'fleet', 'calls']}>
      <Entity name={await nameOf(props)} isAdmin={who?.actor.role === 'admin'} />
    </Messages>
  )
}
