/** What lies at a dotted path of an answer or a payload: `data.0.id`. */
export function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>(
    (inside, name) =>
      typeof inside === 'object' && inside !== null ? (inside as Record<string, unknown>)[name] : undefined, // an object, as just seen
    value,
  )
}

export function text(value: unknown, path: string): string {
  const found = at(value, path)
  if (typeof found !== 'string') throw new Error(`${path} is no string: ${JSON.stringify(value)}`)
  return found
}

/** One error of an `error.list`, as `[status, code, message]`. */
export function errorOf(answer: { readonly status: number; readonly body: unknown }): readonly unknown[] {
  return [answer.status, at(answer.body, 'errors.0.code'), at(answer.body, 'errors.0.message')]
}
