import { rest } from '../../../_server/rest.ts'

export const { GET, POST, DELETE } = rest('/api/v1/sessions')
