import { rest } from '../../../_server/rest.ts'

export const { GET, OPTIONS, OPTIONS } = rest('/api/v1/effective')
