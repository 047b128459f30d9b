import 'server-only'
import { serveSession } from '@postern/control'
import { control } from './control.ts'

export const session = (request: Request): Promise<Response> => serveSession(control, request)
