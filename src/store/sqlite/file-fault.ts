// What SQLite says of the file rather than of a statement, in words for whoever runs the bridge.
import { describeError, StoreError } from '../../errors.js'
import { isResult } from './driver.js'

/** A disk may recover; a damaged file will not, and every write may make it worse. */
export type FileFault = 'disk' | 'damage'

interface Kind {
  readonly fault: FileFault
  readonly is: (error: unknown) => boolean
  readonly remedy: string
}

const kinds: readonly Kind[] = [
  {
    fault: 'disk',
    is: isResult([13], /^database or disk is full/),
    remedy: 'Free some space on its disk: what was answered is kept, and a running bridge then goes on by itself.',
  },
  {
    fault: 'disk',
    is: isResult([8, 14], /^(attempt to write a readonly database|unable to open database file)/),
    remedy: 'Make the file and its folder writable for the user who runs sms-bridge: SQLite keeps two files beside it.',
  },
  {
    fault: 'disk',
    is: isResult([10], /^disk I\/O error/),
    remedy: 'Look at the disk, its quota and the system log: a running bridge goes on by itself once it can write.',
  },
  {
    fault: 'damage',
    is: isResult([11, 26], /^(database disk image is malformed|malformed database schema|file is not a database)/),
    remedy:
      'If this is a store, it is damaged: stop every serve, then put the newest backup in its place, which keeps this ' +
      'one beside it: sms-bridge restore FILE',
  },
]

const kindOf = (error: unknown) => kinds.find(({ is }) => is(error))

export const faultOf = (error: unknown): FileFault | undefined => kindOf(error)?.fault

/** One line: what, which file, what to do. As it was, when it is not the file's fault. */
export function explainFault(what: string, path: string, error: unknown): string {
  const kind = kindOf(error)
  return kind === undefined ? describeError(error) : `${what} sqlite:${path}: ${describeError(error)}. ${kind.remedy}`
}

/** The same as an error; any other is given back as it is. */
export function asStoreError(what: string, path: string, error: unknown): unknown {
  return kindOf(error) === undefined ? error : new StoreError(explainFault(what, path, error), { cause: error })
}
