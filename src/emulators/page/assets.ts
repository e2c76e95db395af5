import { readdir, readFile } from 'node:fs/promises'
import { extname } from 'node:path'

export interface Asset {
  readonly contentType: string
  readonly content: Buffer
}

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Every file of the page by its path, read once: what is not in the folder cannot be asked for. */
export async function loadAssets(): Promise<ReadonlyMap<string, Asset>> {
  const folder = new URL('assets/', import.meta.url)
  const assets = new Map<string, Asset>()
  for (const name of await readdir(folder)) {
    const contentType = contentTypes[extname(name)]
    if (contentType === undefined) continue
    const content = await readFile(new URL(name, folder))
    assets.set(name === 'index.html' ? '/' : `/${name}`, { contentType, content })
  }
  return assets
}
