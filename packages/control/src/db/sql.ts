import { Prisma } from './generated/client.ts'

// What raw queries are put together with: values become parameters, and nothing else comes in.
export const { sql, join: joinSql, empty: noSql } = Prisma
export type Sql = Prisma.Sql
