import pg from 'pg'
import type { Reader } from '../look.js'
import { mustBeCurrent } from '../schema-version.js'
import { addressOf, versionOf } from './connect.js'
import { explainFault } from './server-fault.js'

export async function openReader(url: string): Promise<Reader> {
  const { config, name } = addressOf(url)
  const client = new pg.Client(config)
  client.on('error', () => {}) // whoever awaits a query of it is told
  try {
    await client.connect()
    mustBeCurrent(await versionOf(client), name)
  } catch (error) {
    await client.end().catch(() => {}) // a connection that never stood has nothing to end
    throw error
  }
  return {
    async read(ask) {
      try {
        await client.query('begin isolation level repeatable read, read only')
        const found = await ask({
          dialect: 'postgres',
          query: async (text, parameters) => (await client.query(text, [...parameters])).rows,
        })
        await client.query('rollback')
        return found
      } catch (error) {
        await client.query('rollback').catch(() => {}) // the first failure is the one to tell
        throw explainFault(name, error)
      }
    },
    close: () => client.end(),
  }
}
