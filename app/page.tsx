import { redirect } from 'next/navigation'
import { session } from './_server/session.ts'

export default async function Home() {
  redirect((await session()) ? '/inbox' : '/sign-in')
}
