import { adminNotFound } from './errors.js'
import type { World } from './state.js'
import type { TwinPart } from './types.js'

/** The admin as author of a part; 404 when there is none of that id. */
export function adminAuthor(world: World, id: string): TwinPart['author'] {
  const admin = world.admins.find((one) => one.id === id)
  if (admin === undefined) throw adminNotFound()
  return { type: 'admin', id: admin.id, name: admin.name }
}

/** Fin, or any other bot: it looks like an admin with an address of Intercom's. */
export const botAuthor: TwinPart['author'] = { type: 'bot', id: '278', name: 'Fin' }
