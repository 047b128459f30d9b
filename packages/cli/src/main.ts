#!/usr/bin/env node
import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { cacheDirectory } from './config.ts'

enableCompileCache(join(cacheDirectory(), 'node')) // halves the time to start; where it cannot be written nothing is lost
const { main } = await import('./program.ts')
await main(process.argv.slice(2))
