import { rest } from '../../../_server/rest.ts'

export const { OPTIONS, POST } = rest('/api/v1/drafts')
