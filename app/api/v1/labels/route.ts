import { rest } from '../../../_server/rest.ts'

export const { GET, POST } = rest('/api/v1/labels')
