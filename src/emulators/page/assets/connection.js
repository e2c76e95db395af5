// The page's line to the sandbox: the state whenever it changed, and actions.

/** Calls `onState` now and after every change, and `onLink` with whether the line is up. Comes back by itself. */
export function connect({ onState, onLink }) {
  let busy = false
  let again = false

  async function refresh() {
    again = true
    if (busy) return
    busy = true
    try {
      while (again) {
        again = false
        const state = await load()
        onLink(state !== undefined)
        // Without a state there is nothing to draw; the stream has broken too, and its return asks again.
        if (state !== undefined) onState(state)
      }
    } finally {
      busy = false
    }
  }

  function open() {
    const stream = new EventSource('/api/events')
    stream.addEventListener('change', refresh)
    stream.addEventListener('error', () => {
      onLink(false)
      // After an answer that is not a stream the browser gives up; the sandbox may only be starting again.
      if (stream.readyState === EventSource.CLOSED) setTimeout(open, 1000)
    })
  }
  open()
}

async function load() {
  try {
    const response = await fetch('/api/state')
    return response.ok ? await response.json() : undefined
  } catch {
    return undefined
  }
}

/** Does one action; rejects with words for the person. */
export async function post(action, fields) {
  const response = await fetch(`/api/${action}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(fields),
  }).catch((cause) => {
    throw new Error('The sandbox does not answer. Is it still running?', { cause })
  })
  if (!response.ok) throw new Error((await response.json()).error)
}
