import { existsSync, readFileSync } from 'node:fs'
import { OpenAPIBackend } from 'openapi-backend'

const folder = new URL('../../../../shared/contracts/', import.meta.url)

/** Twilio's OpenAPI files lie beside the checkout; without them what they judge is skipped, and says so. */
export const contractsPresent = existsSync(new URL('twilio_api_v2010.json', folder))

export interface JsonSchema {
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
}

export interface Contract {
  /** What is wrong with a 2xx answer, in words; empty when nothing is. */
  faultsOf(answer: { method: string; path: string; status: number; body: unknown }): Promise<string[]>
}

export function readContract<T>(name: string): T {
  // JSON of known shape, named by the caller.
  return JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as T
}

export function loadContract(): Contract {
  // Two megabytes of JSON to resolve: only the one that is asked, and once.
  const loaded = new Map<string, Promise<OpenAPIBackend>>()
  return {
    async faultsOf({ method, path, status, body }) {
      const name = path.startsWith('/v1/') ? 'twilio_messaging_v1.json' : 'twilio_api_v2010.json'
      const loading = loaded.get(name) ?? load(name)
      loaded.set(name, loading)
      const api = await loading
      const operation = api.matchOperation({ method, path, headers: {} })
      if (operation === undefined) return [`${method} ${path} is not in the contract`]
      const response: unknown = operation.responses?.[String(status)]
      if (response === undefined) return [`${method} ${path} may not answer ${status}`]
      // The definition was resolved on loading: what remains are plain schemas.
      const content = (response as { content?: Record<string, { schema: JsonSchema }> }).content
      const schema = content?.['application/json']?.schema
      if (schema === undefined) return []
      const { errors } = api.validateResponse(withoutBlankSids(body), operation, status)
      return [
        ...(errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`),
        ...differingKeys(schema, body, ''),
      ]
    },
  }
}

async function load(name: string): Promise<OpenAPIBackend> {
  const api = new OpenAPIBackend({
    definition: withoutBareNullable(readContract(name)),
    quick: true,
    strict: false,
    ajvOpts: {
      allErrors: true,
      formats: {
        // The 2010 API's page URIs are relative and unset URLs are "" in Twilio's own examples, all of format uri.
        uri: true,
        'uri-map': true,
        'http-method': /^(?:GET|POST)$/,
        'phone-number': /^\+?[0-9A-Za-z ]+$/,
        'phone-number-capabilities': true,
        'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
        'date-time-rfc-2822': /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000$/,
        currency: /^[A-Za-z]{3}$/,
      },
    },
  })
  await api.init()
  return api
}

/** "nullable" beside no type says nothing, and the validator refuses it. */
function withoutBareNullable<T>(definition: T): T {
  return JSON.parse(JSON.stringify(definition), (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('nullable' in value)) return value
    if ('type' in value || typeof value.nullable !== 'boolean') return value
    return Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'nullable'))
  })
}

/** Twilio's own examples show an unset SID as "", which its pattern forbids. */
function withoutBlankSids(body: unknown): unknown {
  return JSON.parse(JSON.stringify(body), (key, value: unknown) =>
    key.endsWith('_sid') && value === '' ? null : value,
  )
}

/** Keys the schema has and the body has not, and the other way round: the schemas themselves require none. */
function differingKeys(schema: JsonSchema, body: unknown, path: string): string[] {
  if (Array.isArray(body)) {
    return body.flatMap((item, index) => differingKeys(schema.items ?? {}, item, `${path}/${index}`))
  }
  if (typeof body !== 'object' || body === null || schema.properties === undefined) return []
  const { properties } = schema
  const entries = Object.entries(body)
  return [
    ...Object.keys(properties)
      .filter((key) => !(key in body))
      .map((key) => `${path}/${key} is missing`),
    ...entries.filter(([key]) => !(key in properties)).map(([key]) => `${path}/${key} is not in the contract`),
    ...entries.flatMap(([key, value]) => differingKeys(properties[key] ?? {}, value, `${path}/${key}`)),
  ]
}
