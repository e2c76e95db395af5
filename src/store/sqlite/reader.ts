import type { Reader } from '../look.js'
import { Connection } from './connection.js'

export async function openReader(path: string): Promise<Reader> {
  const connection = await Connection.openReadOnly(path)
  return {
    async read(ask) {
      connection.exec('begin')
      try {
        return await ask(connection)
      } finally {
        connection.rollback()
      }
    },
    close: async () => connection.close(),
  }
}
