import Link from 'next/link'
import { getTranslations } from 'next-intl/server'
import { buttonClass } from './_ui/button.tsx'

export default async function NotFound() {
  const t = await getTranslations('shell')
  return (
    <main className="mx-auto flex min-h-dvh max-w-lg flex-col items-start justify-center gap-4 p-8">
      <h1 className="text-xl font-semibold">{t('notFound.title')}</h1>
      <p className="text-muted">{t('notFound.why')}</p>
      <Link href="/" className={buttonClass('primary')}>
        {t('notFound.back')}
      </Link>
    </main>
  )
}
