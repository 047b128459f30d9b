import { defineConfig } from 'prisma/config'

// Paths in this file are relative to it.
export default defineConfig({
  schema: 'schema',
  migrations: { path: 'migrations' },
  datasource: { url: process.env.DATABASE_URL ?? 'pglite:./.data/pg' },
})
