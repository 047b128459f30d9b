import { getTranslations } from 'next-intl/server'
import { Messages } from '../../../_ui/messages.tsx'
import { EnrolmentPage } from './_parts/enrolment-page.tsx'

interface Props {
  readonly params: Promise<{ readonly id: string }>
}

export async function generateMetadata() {
  return { title: (await getTranslations('inbox'))('enrolment.page') }
}

/** The lasting address of one enrolment request. */
export default async function OneEnrolmentPage({ params }: Props) {
  return (
    <Messages of={['inbox']}>
      <EnrolmentPage id={(await params).id} />
    </Messages>
  )
}
