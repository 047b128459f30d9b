import { session } from '../../_server/session-door.ts'

export { session as DELETE, session as POST }
