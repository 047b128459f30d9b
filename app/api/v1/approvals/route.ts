import { rest } from '../../../_server/rest.ts'

export const { GET, POST, OPTIONS } = rest('/api/v1/approvals')
