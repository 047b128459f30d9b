import { redirect } from 'next/navigation'
import { getTranslations } from 'next-intl/server'
import { caller } from '../../_server/caller.ts'
import { isOwnHost, ownOrigin } from '../../_server/own-host.ts'
import { session } from '../../_server/session.ts'
import { Button } from '../../_ui/button.tsx'
import { CliLine } from '../../_ui/cli-line.tsx'
import { Notice } from '../../_ui/notice.tsx'
import { Card } from '../_parts/card.tsx'
import { beginSignIn } from './actions.ts'

export async function generateMetadata() {
  return { title: (await getTranslations('auth'))('signIn.title') }
}

/** Says who owns this place, and sends the person to the signer. Nothing is asked for here: no name, no password. */
export default async function SignInPage() {
  const t = await getTranslations('auth')
  if (await session()) redirect('/inbox')
  const { organisation } = await (await caller()).status.overview()
  if (!organisation) {
    return (
      <Card title={t('founding.title')}>
        <p>{t('founding.what')}</p>
        <p className="text-muted">{t('founding.secret')}</p>
        <CliLine command="npx postern genesis link" />
      </Card>
    )
  }
  return (
    <Card title={t('signIn.to', { name: organisation.name })}>
      <p>{t('signIn.what')}</p>
      {(await isOwnHost()) ? (
        <form action={beginSignIn}>
          <Button type="submit" look="primary" className="w-full">
            {t('signIn.begin')}
          </Button>
        </form>
      ) : (
        <Notice tone="warn" title={t('wrongHost.title')}>
          <p>{t('wrongHost.why')}</p>
          <p>
            <a href={`${await ownOrigin()}/sign-in`} className="underline">
              {t('wrongHost.fix', { origin: await ownOrigin() })}
            </a>
          </p>
        </Notice>
      )}
      <p className="text-sm text-muted">{t('signIn.trust')}</p>
      <CliLine command="npx postern login" />
    </Card>
  )
}
