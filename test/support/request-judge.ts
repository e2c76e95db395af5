// Judges what we send by the vendors' own OpenAPI files, where they are at hand.
import { existsSync, readFileSync } from 'node:fs'
import { type Document, OpenAPIBackend } from 'openapi-backend'
import { parse } from 'yaml'
import { nullWithoutType } from '../emulators/intercom/contract.js'
import type { SeenRequest } from './vendor-server.js'

const folder = new URL('../../../shared/contracts/', import.meta.url)
const files = {
  intercom: 'intercom-2.15.yaml',
  twilio: 'twilio_api_v2010.json',
  messaging: 'twilio_messaging_v1.json',
} as const

/** Why nothing can be judged here; undefined when it can. */
export const judgeFailure: string | undefined = tryFiles()

function tryFiles(): string | undefined {
  const absent = Object.values(files).filter((name) => !existsSync(new URL(name, folder)))
  if (absent.length === 0) return undefined
  const reason = `../shared/contracts lacks ${absent.join(', ')}`
  process.stderr.write(`\n*** SKIPPED: judging what we send by the vendors' OpenAPI files. ${reason} ***\n`)
  return reason
}

export interface RequestJudge {
  /** What is wrong with a request, in words; empty when nothing is. */
  faultsOf(request: SeenRequest): string[]
}

type Node = Readonly<Record<string, unknown>>

export async function loadRequestJudge(vendor: keyof typeof files): Promise<RequestJudge> {
  const text = readFileSync(new URL(files[vendor], folder), 'utf8')
  const definition = (vendor === 'intercom' ? parse(text) : JSON.parse(text)) as Document // what the file says it is
  nullWithoutType(definition)
  const api = new OpenAPIBackend({
    definition,
    quick: true,
    ajvOpts: { strict: false, validateFormats: false, allErrors: true },
  })
  await api.init()
  return {
    faultsOf({ method, url, headers, body: sent }) {
      const [path = '', query = ''] = url.split('?')
      const operation = api.router.matchOperation({ method, path, headers: {} })
      if (operation === undefined) return [`${method} ${path} is not in ${files[vendor]}`]
      const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true
      const body: unknown = sent === '' ? undefined : isForm ? withoutBlankSids(sent) : JSON.parse(sent)
      const given = Object.fromEntries(new URLSearchParams(query))
      const asked = { method, path, query: given, headers: headers as Record<string, string>, body }
      const errors = api.validateRequest(asked, operation).errors ?? []
      const names = (operation.parameters ?? []).map((parameter) => ('name' in parameter ? parameter.name : ''))
      const content = (operation.requestBody as { content?: Record<string, { schema?: Node }> } | undefined)?.content
      const schema = Object.values(content ?? {})[0]?.schema
      return [
        ...errors.map(({ instancePath, message }) => `${instancePath} ${message}`),
        ...Object.keys(given)
          .filter((key) => !names.includes(key))
          .map((key) => `the query has ${key}, which is not in the file`),
        ...(body === undefined ? [] : strayKeys(schema, body as Node)).map((key) => `${key} is not in the file`),
      ].map((fault) => `${method} ${path}: ${fault}`)
    },
  }
}

/** Twilio takes an empty SID to unset one, which the pattern of its own file forbids. */
function withoutBlankSids(form: string): Node {
  return Object.fromEntries([...new URLSearchParams(form)].filter(([key, text]) => !key.endsWith('Sid') || text !== ''))
}

/** What a body has at its top and no variant of its schema knows. */
function strayKeys(schema: Node | undefined, body: Node): string[] {
  const known = keysOf(schema)
  return Object.keys(body).filter((key) => !known.has(key))
}

function keysOf(schema: Node | undefined): Set<string> {
  const variants = ['allOf', 'anyOf', 'oneOf'].flatMap((name) => (schema?.[name] ?? []) as Node[])
  return new Set([...Object.keys(schema?.properties ?? {}), ...variants.flatMap((variant) => [...keysOf(variant)])])
}
