import 'server-only'
import { serveTrpc } from '@postern/control'
import { control } from './control.ts'

export const trpc = (request: Request): Promise<Response> => serveTrpc(control, request)
