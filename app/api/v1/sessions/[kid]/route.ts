import { rest } from '../../../../_server/rest.ts'

export const { DELETE, OPTIONS } = rest('/api/v1/sessions/{kid}')
