import { getTranslations } from 'next-intl/server'
import { Skeleton } from '../_ui/skeleton.tsx'

export default async function Loading() {
  const t = await getTranslations('common')
  return (
    <div className="p-6">
      <Skeleton label={t('loading')} />
    </div>
  )
}
