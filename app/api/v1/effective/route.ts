import { rest } from '../../../_server/rest.ts'

export const { GET } = rest('/api/v1/effective')
