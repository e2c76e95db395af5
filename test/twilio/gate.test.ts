import { expect, it } from 'vitest'
import { createGate, type Gate } from '../../src/twilio/gate.js'

function enter(
  gate: Gate,
  name: string,
  log: string[],
  priority: 'live' | 'bulk',
  signal = new AbortController().signal,
) {
  let finish = () => {}
  const work = new Promise<void>((resolve) => {
    finish = resolve
  })
  const done = gate.through({ priority, signal, stopped: () => new Error('stopped') }, async () => {
    log.push(name)
    await work
  })
  return { finish, done }
}

it('lets in as many as there are places, then the live before the bulk, each in order', async () => {
  const gate = createGate(1)
  const log: string[] = []
  const calls = [
    enter(gate, 'first', log, 'bulk'),
    enter(gate, 'bulk 1', log, 'bulk'),
    enter(gate, 'bulk 2', log, 'bulk'),
    enter(gate, 'live 1', log, 'live'),
    enter(gate, 'live 2', log, 'live'),
  ]
  for (const { finish } of calls) finish()
  await Promise.all(calls.map(({ done }) => done))
  expect(log).toEqual(['first', 'live 1', 'live 2', 'bulk 1', 'bulk 2'])
})

it('gives a place back when the work fails', async () => {
  const gate = createGate(1)
  const request = {
    priority: 'live',
    signal: new AbortController().signal,
    stopped: () => new Error('stopped'),
  } as const
  await expect(gate.through(request, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed')
  await expect(gate.through(request, () => Promise.resolve('in'))).resolves.toBe('in')
})

it('whoever stops waiting leaves the line', async () => {
  const gate = createGate(1)
  const log: string[] = []
  const stopping = new AbortController()
  const first = enter(gate, 'first', log, 'live')
  const impatient = enter(gate, 'impatient', log, 'live', stopping.signal)
  const last = enter(gate, 'last', log, 'live')
  stopping.abort()
  await expect(impatient.done).rejects.toThrow('stopped')
  first.finish()
  last.finish()
  await Promise.all([first.done, last.done])
  expect(log).toEqual(['first', 'last'])
})
