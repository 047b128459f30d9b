// Compiled code is kept between starts: clients start a connector per server and per probe, and wait for each.
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

enableCompileCache(join(homedir(), '.cache', 'postern', 'compiled'))
await import('./run.ts')
