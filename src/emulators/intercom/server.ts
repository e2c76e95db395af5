// A local Intercom: one workspace, its REST API over real HTTP, its inbox, and its webhooks.
import { setMaxListeners } from 'node:events'
import { realClock } from '../clock.js'
import { createFaults } from '../faults.js'
import { type HttpAnswer, type HttpRequest, json, startHttp } from '../http.js'
import { attachmentsPath, createAttachments } from './attachments.js'
import { type Call, parseBody } from './call.js'
import { contactRoutes } from './contact-routes.js'
import { conversationRoutes } from './conversation-routes.js'
import { ApiError, errorList, resourceNotFound, unauthorized } from './errors.js'
import { createIds } from './ids.js'
import { createInbox } from './inbox.js'
import { exchangeCode, tokenPath } from './oauth.js'
import { refusePermission } from './permissions.js'
import { createRateLimit } from './rate-limit.js'
import { createRouter } from './router.js'
import { createSearchIndex } from './search-index.js'
import type { World } from './state.js'
import type { IntercomTwin, IntercomTwinEvent, IntercomTwinOptions } from './types.js'
import { createWebhooks } from './webhooks.js'
import { workspaceRoutes } from './workspace-routes.js'

// No /subscriptions among them: webhooks are set up in the Developer Hub only.
const router = createRouter([...workspaceRoutes, ...contactRoutes, ...conversationRoutes])

const defaultVersion = '2.15'
const versions = new Set([
  ...['1.0', '1.1', '1.2', '1.3', '1.4'],
  ...Array.from({ length: 17 }, (_, minor) => `2.${minor}`),
  'Unstable',
  'Preview',
])

/** No Accept header is refused, the SDK's "anything" is not. */
const acceptsJson = /application\/json|application\/\*|\*\/\*/

const defaultAdmin = { id: '991267459', name: 'Ada Agent', email: 'ada@example.com' }

export async function startIntercomTwin(options: IntercomTwinOptions): Promise<IntercomTwin> {
  const { clock = realClock, random = Math.random, appId = 'sandbox1' } = options
  const stopping = new AbortController()
  const stopped = stopping.signal
  // Every webhook and upload under way listens to it, and there may be any number of them.
  setMaxListeners(0, stopped)
  const faults = createFaults()
  const ids = createIds(random, clock.now())
  const limit = createRateLimit(options.rateLimit ?? 1666, clock)
  const listeners = new Set<(event: IntercomTwinEvent) => void>()
  const counts: Record<string, number> = {}
  const emit = (event: IntercomTwinEvent) => {
    for (const listener of listeners) listener(event)
  }
  const webhooks = createWebhooks({
    appId,
    clientSecret: options.clientSecret,
    clock,
    faults,
    ids,
    stopped,
    attempted: ({ topic, partId = null }, status) => emit({ type: 'webhook', topic, partId, status }),
  })
  let origin = ''
  const indexLagMs = options.indexLagMs ?? 3000
  const world: World = {
    appId,
    timeZone: options.timeZone === undefined ? 'Etc/UTC' : options.timeZone,
    region: options.region ?? 'US',
    clock,
    dialect: options.dialect ?? '2.15',
    newContactLagMs: options.newContactLagMs ?? 0,
    ids,
    admins: options.admins ?? [defaultAdmin],
    teams: options.teams ?? [],
    contacts: new Map(),
    conversations: new Map(),
    tags: [],
    dataAttributes: (options.contactAttributes ?? []).map((name, index) => ({
      id: index + 1,
      name,
      model: 'contact',
      dataType: '',
      description: '',
      createdAt: clock.now(),
    })),
    contactIndex: createSearchIndex(clock, indexLagMs),
    conversationIndex: createSearchIndex(clock, indexLagMs),
    attachments: createAttachments({ clock, ids, secret: ids.uuid(), origin: () => origin, stopped }),
    stopped,
    notify: webhooks.notify,
    conversationChanged: (conversation) => emit({ type: 'conversation', conversation }),
  }

  function answerError(error: ApiError, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
    const requestId = ids.uuid()
    const body = errorList(requestId, error.code, error.message)
    return json(error.status, body, { ...headers, ...error.headers, 'x-request-id': requestId })
  }

  const rateLimited = () => new ApiError(429, 'rate_limit_exceeded', limit.message)

  async function handle(request: HttpRequest): Promise<HttpAnswer> {
    if (request.path.startsWith(attachmentsPath)) return world.attachments.serve(request)
    if (request.path === tokenPath) return exchangeCode(request, options)
    // Without valid credentials there are no rate-limit headers either.
    if (request.headers.authorization !== `Bearer ${options.accessToken}`) return answerError(unauthorized())
    const passage = limit.pass()
    const version = String(request.headers['intercom-version'] ?? defaultVersion)
    const headers = { ...passage.headers, 'intercom-version': versions.has(version) ? version : defaultVersion }
    try {
      if (!passage.allowed) throw rateLimited()
      const body = await run(request, version)
      return json(200, body, { ...headers, 'x-request-id': ids.uuid() })
    } catch (error) {
      if (error instanceof ApiError) return answerError(error, headers)
      throw error
    }
  }

  function run(request: HttpRequest, version: string): unknown {
    if (!acceptsJson.test(request.headers.accept ?? '')) {
      throw new ApiError(406, 'client_error', 'The Accept header should send a media type of application/json')
    }
    if (!versions.has(version)) {
      throw new ApiError(400, 'intercom_version_invalid', 'The requested version could not be found')
    }
    const match = router(request.method, request.path)
    if (match === undefined) throw resourceNotFound()
    refusePermission(match.route, options.unticked ?? [])
    const body = parseBody(request.body)
    const call: Call = { world, version, params: match.params, query: request.query, body }
    return match.route.handler(call)
  }

  const http = await startHttp({
    host: options.host,
    port: options.port,
    clock,
    handle,
    faults: {
      armed: faults,
      answers: {
        rateLimit: () => answerError(rateLimited(), limit.exhausted().headers),
        error: () => answerError(new ApiError(500, 'server_error', 'Internal Server Error')),
        refuse: () => answerError(unauthorized()),
      },
    },
    isExempt: ({ path }) => path.startsWith(attachmentsPath),
    onOutcome({ method, path }, status) {
      const pattern = path.startsWith(attachmentsPath) ? `${attachmentsPath}{id}` : router(method, path)?.route.pattern
      const name = `${method} ${pattern ?? path}`
      counts[name] = (counts[name] ?? 0) + 1
      emit({ type: 'request', method, path, status })
    },
  })
  origin = http.url

  return {
    url: http.url,
    appId,
    faults,
    inbox: createInbox(world),
    contacts: () => [...world.contacts.values()],
    conversations: () => [...world.conversations.values()],
    teams: () => world.teams,
    admins: () => world.admins,
    setWebhook: webhooks.set,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    requestCounts: () => ({ ...counts }),
    rateLimitHits: limit.hits,
    idle: webhooks.idle,
    async stop() {
      stopping.abort()
      await http.stop()
      await webhooks.idle()
    },
  }
}
