import { rest } from '../../../../_server/rest.ts'

export const { GET, OPTIONS, PUT } = rest('/api/v1/policies/{sha256}')
