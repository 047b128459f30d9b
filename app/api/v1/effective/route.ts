import { rest } from '../../../_server/rest.ts'

export const { GET, OPTIONS } = rest('/api/v1/effective')
