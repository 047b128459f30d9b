import type { InviteSignerRequest } from '@postern/core'
import { encodeBase64url, formatJoinString, INVITE_TOKEN_BYTES, inviteKey } from '@postern/core'
import type { App } from '../app.ts'
import { clientOf } from '../app.ts'
import { SignerError } from '../errors.ts'
import { decide } from '../page/decide.ts'
import { el } from '../page/element.ts'
import { actions, card, copyable, notice, record, sentenceList, tick } from '../page/parts.ts'
import type { InviteTerms } from '../signing/prepare.ts'
import { prepareInvite } from '../signing/prepare.ts'
import { sign } from '../signing/sign.ts'
import { words } from '../words.ts'
import { meet } from './organisation.ts'
import { closeButton, showCancelled } from './refusal.ts'
import { signersFor } from './waiting.ts'

interface Draft {
  readonly status: string
  readonly invite?: InviteTerms
}

/** A fleet invite: the token and its key are made here, and the token is shown once, after the log has the invite. */
export async function inviteScreen(app: App, request: InviteSignerRequest): Promise<void> {
  const { control, org, id } = request
  const path = `/api/v1/requests/${encodeURIComponent(id)}`
  const draft = await clientOf(app, control).call<Draft>(path)
  if (draft.status !== 'open' || !draft.invite) throw new SignerError('DECIDED', draft.status)
  const authority = await meet(app, control, org, { request: id })
  const { state } = authority
  const token = app.around.random(INVITE_TOKEN_BYTES)
  const ready = prepareInvite(request, draft.invite, inviteKey(token).publicKey, { state, now: app.now(), suite: app.around.suite })
  const by = signersFor(state, ready.needed, (await app.device.memory.known(org))?.me)
  const panel = decide({
    sign: {
      label: words.waiting.sign(by.me),
      run: () => sign(ready.prepared, { ...by, site: state.site, passkeys: app.passkeys, suite: app.around.suite }),
    },
    say: app.page.say,
  })
  app.page.show({
    ...{ over: words.invite.over, title: words.invite.title, lead: words.invite.lead },
    body: [card(words.waiting.what, sentenceList(ready.prepared.sentences), record(ready.prepared)), panel.element],
  })
  const signature = await panel.done
  if (signature === 'cancelled') return showCancelled(app, { href: control }, () => void inviteScreen(app, request))
  await app.device.memory.recordSigned(org, ready.seq, ready.hash)
  const json = { bytes: encodeBase64url(ready.prepared.bytes), signatures: [signature] }
  const { status } = await clientOf(app, control).call<{ status: string }>(`${path}/signatures`, { json })
  showToken(app, request, draft.invite, encodeBase64url(token), status !== 'open')
}

function showToken(app: App, { control, org }: InviteSignerRequest, { kind, uses }: InviteTerms, token: string, isInLog: boolean): void {
  const close = closeButton()
  const closing = el('div', {}, close)
  closing.hidden = true
  app.page.show({
    ...{ kind: 'done', over: words.invite.over, title: words.invite.doneTitle, lead: words.invite.doneLead(uses, kind) },
    body: [
      notice('warn', words.invite.onceTitle, words.invite.once),
      card(
        words.invite.token,
        copyable(formatJoinString({ control, org, code: token }), words.invite.token),
        el('p', { class: 'fine' }, words.invite.tokenText(kind)),
      ),
      !isInLog && notice('warn', words.waiting.moreTitle, words.waiting.moreText),
      tick(words.invite.kept, (isKept) => {
        closing.hidden = !isKept
      }),
      actions(closing),
    ],
  })
}
