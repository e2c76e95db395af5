#!/usr/bin/env node
import module from 'node:module'

module.enableCompileCache?.()
const [{ main }, { createIo }] = await Promise.all([import('../dist/cli/main.js'), import('../dist/cli/io.js')])

// `sms-bridge status | head -1` closes our pipe; that is no crash.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error
  })
}

const io = createIo({
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  onSignal(listener) {
    process.on('SIGINT', listener)
    process.on('SIGTERM', listener)
    return () => {
      process.off('SIGINT', listener)
      process.off('SIGTERM', listener)
    }
  },
})

process.exitCode = await main(process.argv, io, process.env)
// Pipes are written asynchronously on some platforms: end only when everything is out.
process.stdout.write('', () => process.stderr.write('', () => process.exit()))
