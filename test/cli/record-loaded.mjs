// Preloaded by loading.test.ts: appends every file that the process loads to $RECORD_LOADED. CommonJS files that a
// CommonJS file requires pass no hook on Node 20; they are read from the require cache at the end.
import { appendFileSync } from 'node:fs'
import { createRequire, register } from 'node:module'

const record = process.env.RECORD_LOADED

const hook = `
  import { appendFileSync } from 'node:fs'
  import { fileURLToPath } from 'node:url'
  export function load(url, context, next) {
    if (url.startsWith('file:')) appendFileSync(${JSON.stringify(record)}, fileURLToPath(url) + '\\n')
    return next(url, context)
  }`
register(`data:text/javascript,${encodeURIComponent(hook)}`)

process.on('exit', () => {
  for (const file of Object.keys(createRequire(import.meta.url).cache)) appendFileSync(record, `${file}\n`)
})
