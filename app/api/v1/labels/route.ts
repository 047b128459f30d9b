import { rest } from '../../../_server/rest.ts'

export const { GET, OPTIONS, POST } = rest('/api/v1/labels')
