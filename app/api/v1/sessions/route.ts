import { rest } from '../../../_server/rest.ts'

export const { DELETE, GET, OPTIONS, POST } = rest('/api/v1/sessions')
