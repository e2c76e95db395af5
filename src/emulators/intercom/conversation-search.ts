// Lists of conversations: all of them, or those a search finds.
import type { Call } from './call.js'
import { asHtml, asPlainText, type Json, type Rendering, renderConversation } from './render.js'
import { type FieldType, isRecord, paginate, parseQuery } from './search.js'
import type { Document } from './search-index.js'

export function renderingOf({ query, version }: Call): Rendering {
  return query.get('display_as') === 'plaintext' ? asPlainText(version) : asHtml(version)
}

export function listConversations(call: Call): Json {
  const { world, query } = call
  const all = [...world.conversations.keys()].map((id): [string, Document] => [id, {}])
  return renderPage(call, all, {
    perPage: query.get('per_page'),
    startingAfter: query.get('starting_after'),
  })
}

export function searchConversations(call: Call): Json {
  const { world, body } = call
  const matches = parseQuery(body.query, (name) => fieldTypes[name])
  const pagination = isRecord(body.pagination) ? body.pagination : {}
  const hits = world.conversationIndex.entries().filter(([, document]) => matches(document))
  return renderPage(call, hits, {
    sort: body.sort,
    perPage: pagination.per_page,
    startingAfter: pagination.starting_after,
  })
}

/** Hits show what is true now, though they were found by what was true when the index last looked. */
function renderPage(
  call: Call,
  hits: readonly (readonly [string, Document])[],
  paging: { sort?: unknown; perPage: unknown; startingAfter: unknown },
): Json {
  const { ids, total, pages } = paginate(hits, { defaultPerPage: 20, ...paging })
  const conversations = ids.flatMap((id) => {
    const conversation = call.world.conversations.get(id)
    return conversation === undefined ? [] : [renderConversation(call.world, conversation, renderingOf(call))]
  })
  return { type: 'conversation.list', pages, total_count: total, conversations }
}

const statisticsDates = [
  'first_contact_reply_at',
  'first_assignment_at',
  'first_admin_reply_at',
  'first_close_at',
  'last_assignment_at',
  'last_assignment_admin_reply_at',
  'last_contact_reply_at',
  'last_admin_reply_at',
  'last_close_at',
]
const statisticsIntegers = [
  'time_to_assignment',
  'time_to_admin_reply',
  'time_to_first_close',
  'time_to_last_close',
  'count_reopens',
  'count_assignments',
  'count_conversation_parts',
]

const fieldTypes: Readonly<Record<string, FieldType>> = {
  id: 'string',
  created_at: 'date',
  updated_at: 'date',
  'source.type': 'string',
  'source.id': 'string',
  'source.delivered_as': 'string',
  'source.subject': 'string',
  // "Performed against every element of the value separately": one word at a time.
  'source.body': 'words',
  'source.author.id': 'string',
  'source.author.type': 'string',
  'source.author.name': 'string',
  'source.author.email': 'string',
  contact_ids: 'string',
  teammate_ids: 'string',
  admin_assignee_id: 'integer',
  team_assignee_id: 'integer',
  open: 'boolean',
  read: 'boolean',
  state: 'string',
  waiting_since: 'date',
  snoozed_until: 'date',
  tag_ids: 'string',
  priority: 'string',
  'statistics.last_closed_by_id': 'string',
  ...Object.fromEntries(statisticsDates.map((name): [string, FieldType] => [`statistics.${name}`, 'date'])),
  ...Object.fromEntries(statisticsIntegers.map((name): [string, FieldType] => [`statistics.${name}`, 'integer'])),
  ai_agent_participated: 'boolean',
}
