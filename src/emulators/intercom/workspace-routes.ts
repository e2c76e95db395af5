// The workspace: who is there, and the words (tags, attributes) it has.

import { type Call, field, type Route, required, route } from './call.js'
import { tagContact } from './contacts.js'
import { adminNotFound, invalid, missing, resourceNotFound } from './errors.js'
import { type Json, seconds } from './render.js'
import { isRecord } from './search.js'
import {
  type Admin,
  type DataAttribute,
  findOrCreateTag,
  getContact,
  type Tag,
  type Team,
  type World,
} from './state.js'

export const workspaceRoutes: readonly Route[] = [
  route('GET', '/me', getMe),
  route('GET', '/admins', ({ world }) => ({
    type: 'admin.list',
    admins: world.admins.map((admin) => renderAdmin(world, admin)),
  })),
  route('GET', '/teams', ({ world }) => ({ type: 'team.list', teams: world.teams.map(renderTeam) })),
  route('GET', '/tags', ({ world }) => ({ type: 'list', data: world.tags.map(renderTag) })),
  route('POST', '/tags', saveTag),
  route('GET', '/tags/{id}', ({ world, ...call }) => {
    const tag = world.tags.find(({ id }) => id === call.params.id)
    if (tag === undefined) throw resourceNotFound()
    return renderTag(tag)
  }),
  route('DELETE', '/tags/{id}', deleteTag),
  route('GET', '/data_attributes', ({ world, query }) => {
    const model = query.get('model')
    const listed = [...standardAttributes, ...world.dataAttributes.map((one) => renderAttribute(world, one))]
    return { type: 'list', data: listed.filter((one) => model === null || one.model === model) }
  }),
  route('POST', '/data_attributes', createAttribute),
]

function getMe({ world }: Call): Json {
  const admin = world.admins[0]
  if (admin === undefined) throw adminNotFound()
  return {
    type: 'admin',
    id: admin.id,
    email: admin.email,
    name: admin.name,
    email_verified: true,
    app: {
      type: 'app',
      id_code: world.appId,
      name: 'Sandbox',
      created_at: 1_734_537_243,
      secure: false,
      identity_verification: false,
      timezone: world.timeZone,
      region: world.region,
    },
    avatar: { type: 'avatar', image_url: null },
    has_inbox_seat: true,
  }
}

function renderAdmin(world: World, admin: Admin): Json {
  return {
    type: 'admin',
    email: admin.email,
    id: admin.id,
    name: admin.name,
    away_mode_enabled: false,
    away_mode_reassign: false,
    has_inbox_seat: true,
    team_ids: world.teams.filter(({ adminIds }) => adminIds.includes(admin.id)).map(({ id }) => Number(id)),
  }
}

function renderTeam(team: Team): Json {
  return { type: 'team', id: team.id, name: team.name, admin_ids: team.adminIds.map(Number) }
}

function renderTag({ id, name }: Tag): Json {
  return { type: 'tag', id, name }
}

/** Makes or finds a tag by name, renames one by id, or puts one on several contacts. */
function saveTag({ world, body, version }: Call): Json {
  const name = field(body, 'name')
  const id = field(body, 'id')
  if (typeof name !== 'string' || name === '' || body.companies !== undefined) throw invalid('invalid tag parameters')
  if (id !== undefined && id !== null) {
    const tag = world.tags.find((one) => one.id === id)
    if (tag === undefined) throw resourceNotFound()
    tag.name = name
    return renderTag(tag)
  }
  const users = body.users ?? []
  if (!Array.isArray(users)) throw invalid('invalid tag parameters')
  const contacts = users.map((user) => getContact(world, isRecord(user) ? required(user, 'id') : '', version))
  const tag = findOrCreateTag(world, name)
  for (const contact of contacts) tagContact(world, contact, tag, world.admins[0]?.id ?? '')
  return renderTag(tag)
}

/** It goes from whatever it was put on. */
function deleteTag({ world, params }: Call): Json {
  const at = world.tags.findIndex(({ id }) => id === params.id)
  if (at === -1) throw resourceNotFound()
  world.tags.splice(at, 1)
  for (const tagged of [...world.contacts.values(), ...world.conversations.values()]) {
    tagged.tags = tagged.tags.filter(({ id }) => id !== params.id)
  }
  return {}
}

const dataTypes = ['string', 'integer', 'float', 'boolean', 'date', 'datetime', 'options']
const attributeName = /^[\p{L}\p{N}\p{Sc}_ -]+$/u

function createAttribute({ world, body }: Call): Json {
  const { model } = body
  if (model !== 'contact' && model !== 'company') {
    throw invalid('The Data Attribute model field must be either contact or company')
  }
  const name = required(body, 'name')
  const dataType = required(body, 'data_type')
  if (!dataTypes.includes(dataType)) throw invalid("Data Type isn't an option")
  if (dataType === 'options' && !Array.isArray(body.options)) throw missing('options')
  if (!attributeName.test(name)) {
    throw invalid(
      'Your name for this attribute must only contain alphanumeric characters, currency symbols, and hyphens',
    )
  }
  const taken = world.dataAttributes.find((one) => one.name.toLowerCase() === name.toLowerCase())
  if (taken !== undefined) {
    const [where, what] = [peopleOrCompany(taken.model), peopleOrCompany(model)]
    throw invalid(
      `You already have '${name}' in your ${where} data. To save this as new ${what} data, use a different name.`,
    )
  }
  const attribute: DataAttribute = {
    id: world.dataAttributes.length + 1,
    name,
    model,
    dataType,
    description: field(body, 'description') ?? '',
    createdAt: world.clock.now(),
  }
  world.dataAttributes.push(attribute)
  return renderAttribute(world, attribute)
}

const peopleOrCompany = (model: DataAttribute['model']) => (model === 'contact' ? 'people' : 'company')

/** How the types one can ask for are shown afterwards; attributes the twin was started with were given none. */
const shownTypes: Readonly<Record<string, string>> = { '': 'string', datetime: 'date', options: 'string' }

function renderAttribute(world: World, attribute: DataAttribute): Json {
  return {
    id: attribute.id,
    type: 'data_attribute',
    name: attribute.name,
    full_name: `custom_attributes.${attribute.name}`,
    label: attribute.name,
    description: attribute.description,
    data_type: shownTypes[attribute.dataType] ?? attribute.dataType,
    api_writable: true,
    ui_writable: false,
    messenger_writable: false,
    custom: true,
    archived: false,
    admin_id: world.admins[0]?.id ?? '',
    created_at: seconds(attribute.createdAt),
    updated_at: seconds(attribute.createdAt),
    model: attribute.model,
  }
}

const standardAttributes: readonly Json[] = ['name', 'email', 'phone'].map((name) => ({
  type: 'data_attribute',
  name,
  full_name: name,
  label: name,
  data_type: 'string',
  api_writable: true,
  ui_writable: true,
  messenger_writable: true,
  custom: false,
  archived: false,
  model: 'contact',
}))
