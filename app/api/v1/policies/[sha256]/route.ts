import { rest } from '../../../../_server/rest.ts'

export const { GET, PUT } = rest('/api/v1/policies/{sha256}')
