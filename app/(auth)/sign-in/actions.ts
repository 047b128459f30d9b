'use server'
import { redirect } from 'next/navigation'
import { signInUrl } from '../../_server/sign-in.ts'

/** Begins a sign-in in this browser, and leads to the signer. */
export async function beginSignIn(): Promise<void> {
  redirect(await signInUrl())
}
