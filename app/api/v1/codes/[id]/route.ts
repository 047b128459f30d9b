import { rest } from '../../../../_server/rest.ts'

export const { DELETE } = rest('/api/v1/codes/{id}')
