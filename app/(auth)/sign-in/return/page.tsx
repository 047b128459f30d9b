import { getTranslations } from 'next-intl/server'
import { Card } from '../../_parts/card.tsx'
import { Finish } from './_parts/finish.tsx'

/** Where the signer sends the browser back to. What it brings stands behind the `#`, which no server and no log sees. */
export default async function ReturnPage() {
  const t = await getTranslations('auth')
  return (
    <Card title={t('return.title')}>
      <Finish />
    </Card>
  )
}
