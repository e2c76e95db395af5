import type { Reader } from '../look.js'
import { Connection } from './connection.js'
import { asStoreError } from './file-fault.js'

export async function openReader(path: string): Promise<Reader> {
  const connection = await Connection.openReadOnly(path)
  return {
    async read(ask) {
      connection.exec('begin')
      try {
        return await ask(connection)
      } catch (error) {
        throw asStoreError('Trouble with the store', path, error)
      } finally {
        connection.rollback()
      }
    },
    close: async () => connection.close(),
  }
}
