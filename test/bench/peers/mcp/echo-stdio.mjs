import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { createEcho } from './echo.mjs'

serveStdio(createEcho)
