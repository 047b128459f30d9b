import { unknown } from '../../_server/unknown.ts'

export { unknown as DELETE, unknown as GET, unknown as PATCH, unknown as POST, unknown as PUT }
