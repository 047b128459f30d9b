// Opens the embedded database, commits one row, says so, and stays: a second process for database.test.ts.
import { openDatabase } from '../../../packages/control/src/db/open.ts'
import { migrations } from './migrations.ts'

const db = await openDatabase(`pglite:${process.argv[2]}`, { migrations })
const data = { org: 'o', sha256: 'held', name: 'n', bytes: new Uint8Array(1), uploadedBy: '@ana', uploadedAt: new Date() }
await db.prisma.policyDocument.create({ data })
console.log('ready')
setInterval(() => {}, 1000)
