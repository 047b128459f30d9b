import { rest } from '../../_server/rest.ts'

export const { GET } = rest('/api/health')
