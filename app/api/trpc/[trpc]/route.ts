import { trpc } from '../../../_server/trpc.ts'

export { trpc as GET, trpc as POST }
