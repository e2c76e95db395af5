// Judges every answer of the twin by the vendor's own OpenAPI file, where it is at hand.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Document, OpenAPIBackend } from 'openapi-backend'
import { parse } from 'yaml'

const file = fileURLToPath(new URL('../../../../shared/contracts/intercom-2.15.yaml', import.meta.url))

export const contractPresent = existsSync(file)

export interface Contract {
  /** What is wrong with an answer; undefined when nothing is, or when the file does not know the call or status. */
  faultsOf(answer: { method: string; path: string; status: number; body: unknown }): string | undefined
  /** How many answers were judged so far. */
  judged(): number
}

type Node = Record<string, unknown>

const judgedPaths = /^\/(me|admins|teams|tags|data_attributes|contacts|conversations)(\/|$)/

/**
 * Where recorded payloads contradict the file's schemas, null is allowed as well.
 * email of a contact: leads without one exist, the schema knows no null ·
 * statistics: recorded with null for what has not happened yet (zulip's operator_replied), and the file's own
 * examples have null for the whole object · width and height of attachments: files that are no pictures have none.
 */
const nullable: Readonly<Record<string, readonly string[] | 'all'>> = {
  contact: ['email', 'email_domain'],
  conversation_statistics: 'all',
  part_attachment: ['width', 'height'],
}

/** Where no relaxing helps, the field is not judged. */
const dropped: Readonly<Record<string, readonly string[]>> = {
  // `event_details: {}` is recorded; the schema wants one of six shapes.
  conversation_part: ['event_details'],
}

export async function loadContract(): Promise<Contract> {
  const document = parse(readFileSync(file, 'utf8')) as Node // the file is an OpenAPI document; the judge fails otherwise
  const schemas = at(at(document, 'components'), 'schemas')
  for (const [name, fields] of Object.entries(nullable)) {
    const properties = at(at(schemas, name), 'properties')
    for (const field of fields === 'all' ? Object.keys(properties) : fields) at(properties, field).nullable = true
  }
  for (const [name, fields] of Object.entries(dropped)) {
    for (const field of fields) delete at(at(schemas, name), 'properties')[field]
  }
  const paths = at(document, 'paths')
  for (const [path, item] of Object.entries(paths)) {
    if (!judgedPaths.test(path)) delete paths[path]
    else for (const operation of Object.values(item as Node)) delete (operation as Node).requestBody // answers are judged, not calls
  }
  at(document, 'components').schemas = reachable(paths, schemas)
  nullWithoutType(document)
  const definition = document as unknown as Document // what the file says it is
  const api = new OpenAPIBackend({
    definition,
    quick: true,
    ajvOpts: { strict: false, validateFormats: false, allErrors: true },
  })
  await api.init()
  let judged = 0
  return {
    judged: () => judged,
    faultsOf({ method, path, status, body }) {
      const operation = api.router.matchOperation({ method, path, headers: {} })
      const known = operation?.responses?.[String(status)]
      if (operation === undefined || known === undefined) return undefined
      judged += 1
      const { errors } = api.validateResponse(body, operation, status)
      return errors?.length
        ? JSON.stringify(errors.map(({ instancePath, message }) => [instancePath, message]))
        : undefined
    },
  }
}

function at(node: Node, name: string): Node {
  const child = node[name]
  if (typeof child !== 'object' || child === null) throw new Error(`the contract has no ${name} where it should`)
  return child as Node // an object, as just seen
}

/** The schemas that answers refer to, directly or not: the rest only costs time. */
function reachable(from: unknown, schemas: Node, found: Node = {}): Node {
  if (Array.isArray(from)) for (const item of from) reachable(item, schemas, found)
  else if (typeof from === 'object' && from !== null) {
    for (const [key, value] of Object.entries(from)) {
      const name = key === '$ref' ? String(value).split('/').at(-1) : undefined
      if (name === undefined) reachable(value, schemas, found)
      else if (!(name in found)) {
        found[name] = schemas[name]
        reachable(schemas[name], schemas, found)
      }
    }
  }
  return found
}

/** `nullable: true` beside a $ref, or without a type, means "or null" to the file; validators refuse or ignore it. */
export function nullWithoutType(node: unknown): void {
  if (Array.isArray(node)) node.forEach(nullWithoutType)
  else if (typeof node === 'object' && node !== null) {
    const fields = node as Node // an object, as just seen
    if ('nullable' in fields && typeof fields.type !== 'string') {
      const { nullable, ...rest } = fields
      delete fields.nullable
      if (nullable === true) for (const name of Object.keys(fields)) delete fields[name]
      if (nullable === true) fields.anyOf = ['$ref' in rest ? { $ref: rest.$ref } : rest, { enum: [null] }]
    }
    for (const value of Object.values(fields)) nullWithoutType(value)
  }
}
