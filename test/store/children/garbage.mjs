// Leaves databases with live statements to the garbage collector. Run with --expose-gc.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Connection } from '../../../dist/store/sqlite/connection.js'

const folder = mkdtempSync(join(tmpdir(), 'sms-bridge-garbage-'))
const kept = []
for (let i = 0; i < 40; i++) {
  const connection = await Connection.open(join(folder, `${i}.sqlite`), 0)
  for (let n = 0; n < 20; n++) await connection.query(`select ${n} as n where ? = ?`, [1, 1])
  if (i % 4 === 0) kept.push(connection.query.bind(connection))
  if (i % 4 === 1) connection.close()
  globalThis.gc()
  await new Promise((resolve) => setImmediate(resolve))
}
for (const query of kept) await query('select 7 as n', [])
rmSync(folder, { recursive: true })
process.stdout.write('alive\n')
