import { rest } from '../../../../_server/rest.ts'

export const { POST } = rest('/api/v1/labels/undo')
