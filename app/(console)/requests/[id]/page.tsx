import { getTranslations } from 'next-intl/server'
import { Messages } from '../../../_ui/messages.tsx'
import { RequestPage } from './_parts/request-page.tsx'

interface Props {
  readonly params: Promise<{ readonly id: string }>
}

export async function generateMetadata() {
  return { title: (await getTranslations('inbox'))('request.page') }
}

/** The lasting address of something to sign. */
export default async function OneRequestPage({ params }: Props) {
  return (
    <Messages of={['inbox']}>
      <RequestPage id={(await params).id} />
    </Messages>
  )
}
