// The SDK's own way to serve Streamable HTTP: node echo-http.mjs <port>
import { createServer } from 'node:http'
import { toNodeHandler } from '@modelcontextprotocol/node'
import { createMcpHandler } from '@modelcontextprotocol/server'
import { createEcho } from './echo.mjs'

const port = Number(process.argv[2])
createServer(toNodeHandler(createMcpHandler(createEcho))).listen(port, '127.0.0.1', () => console.error('ready'))
