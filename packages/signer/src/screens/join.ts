import type { JoinSignerRequest } from '@postern/core'
import { formatJoinString, organisationWords, signerRequestUrl } from '@postern/core'
import type { App } from '../app.ts'
import type { Child } from '../page/element.ts'
import { el } from '../page/element.ts'
import { card, copyable, notice, wordList } from '../page/parts.ts'
import { words } from '../words.ts'
import { meet } from './organisation.ts'
import { closeButton } from './refusal.ts'

/** Shows a join string, or an invitation link. It signs nothing: it is here because who writes the pin chooses whom a machine obeys. */
export async function joinScreen(app: App, request: JoinSignerRequest): Promise<void> {
  const { control, org, code } = request
  const { state } = await meet(app, control, org, { code })
  const join = formatJoinString({ control, org, code })
  app.page.show({
    ...{ over: words.join.over, title: words.join.title(request.for, request.name), lead: words.join.lead(request.for) },
    body: [
      request.for === 'person' ? personParts(app, request, join) : machineParts(request, join),
      card(
        words.join.pinTitle(state.name),
        el('p', { class: 'fine' }, words.join.pin),
        wordList(organisationWords(org), words.compare.label),
      ),
      notice('info', words.join.onceTitle(code), words.join.once),
      closeButton(),
    ],
  })
}

function personParts({ origin }: App, { control, org, code }: JoinSignerRequest, join: string): Child {
  const invitation = signerRequestUrl(origin, { v: 1, kind: 'enrolment', control, org, code })
  return [
    card(words.join.invitation, el('p', { class: 'fine' }, words.join.invitationText), copyable(invitation, words.join.invitation)),
    card(words.join.orTerminal, copyable(`npx postern people enroll ${quote(join)}`, words.join.orTerminal)),
  ]
}

function machineParts(request: JoinSignerRequest, join: string): Child {
  const command = request.for === 'gateway' ? gatewayCommand(request, join) : agentCommand(request, join)
  const commands = [
    card(words.join.unix, copyable(`npx postern ${command}`, words.join.unix)),
    card(words.join.windows, copyable(`npx.cmd postern ${command}`, words.join.windows)),
  ]
  return [
    commands,
    request.for === 'gateway' && notice('info', words.join.behindTitle, words.join.behind),
    card(words.join.string, copyable(join, words.join.string)),
  ]
}

const EXAMPLE = "-- npx -y '@modelcontextprotocol/server-filesystem' ./notes"

function gatewayCommand({ name, server }: JoinSignerRequest, join: string): string {
  return `gateway enroll ${quote(join)}${name ? ` --name ${quote(name)}` : ''} --server ${server ?? 'notes'} ${EXAMPLE}`
}

function agentCommand({ name, server, client }: JoinSignerRequest, join: string): string {
  const agent = name ? ` --${client ? 'agent' : 'name'} ${quote(name)}` : ''
  return client ? `client add ${client} ${server ?? 'notes'} --join ${quote(join)}${agent}` : `agent enroll ${quote(join)}${agent}`
}

/** Single quotes: sh and PowerShell both take what is between them as it stands, and a join string has none. */
const quote = (text: string): string => `'${text}'`
