import { rest } from '../../../../_server/rest.ts'

export const { POST, OPTIONS } = rest('/api/v1/approvals/stages')
