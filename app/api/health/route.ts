import { rest } from '../../_server/rest.ts'

export const { GET, OPTIONS } = rest('/api/health')
