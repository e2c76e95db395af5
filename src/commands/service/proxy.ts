// The few lines that give a bridge its HTTPS. Only what the vendors call is public: metrics and readiness stay inside.
import type { Context } from '../../cli/context.js'
import { type ExitCode, exitCodes } from '../../cli/exit-codes.js'
import type { Config } from '../../config/load.js'
import { UserError } from '../../errors.js'

export const proxies = ['caddy', 'nginx'] as const
export type Proxy = (typeof proxies)[number]

interface ProxyParts {
  /** Without a slash at its end; may have a path. */
  readonly publicUrl: string
  /** `127.0.0.1:8080` */
  readonly address: string
}

/** Prints the lines for the public URL of the settings. */
export async function serviceProxy(
  context: Context,
  kind: Proxy,
  { json }: { readonly json: boolean } = { json: false },
): Promise<ExitCode> {
  const { lines, words } = proxyFor(kind, await context.config())
  if (json) context.io.out(JSON.stringify({ schema_version: 1, server: kind, lines, next: words }, null, 2))
  else {
    context.io.out(lines)
    context.io.err(words)
  }
  return exitCodes.ok
}

/** The lines, and where they go. Throws UserError when no proxy could lead to these settings. */
export function proxyFor(kind: Proxy, { publicUrl, host, port }: Pick<Config, 'publicUrl' | 'host' | 'port'>) {
  if (!publicUrl.startsWith('https:')) {
    throw new UserError(`SMS_BRIDGE_PUBLIC_URL is ${publicUrl}: a proxy is for an address that begins with https://`)
  }
  if (port === 0) {
    throw new UserError(
      'SMS_BRIDGE_PORT 0 is another port at each start, which no proxy finds: type sms-bridge config set port 8080',
    )
  }
  const lines = proxyLines(kind, { publicUrl, address: `${reachable(host)}:${port}` })
  return { lines, words: kind === 'caddy' ? caddyWords : nginxWords }
}

/** Where a program on this machine reaches who listens there. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  if (host === '::') return '[::1]'
  return host.includes(':') ? `[${host}]` : host
}

const caddyWords = 'Into /etc/caddy/Caddyfile, then: sudo systemctl reload caddy. Caddy gets the certificate by itself.'
const nginxWords =
  'Into /etc/nginx/conf.d/sms-bridge.conf, with a certificate from certbot, then: sudo nginx -t && sudo systemctl reload nginx'

export function proxyLines(kind: Proxy, parts: ProxyParts): string {
  return kind === 'caddy' ? caddy(parts) : nginx(parts)
}

/** Path, query and body go on unchanged: signatures cover them. A bridge that restarts is tried again for seconds. */
function caddy({ publicUrl, address }: ProxyParts): string {
  const { host, pathname } = new URL(publicUrl)
  const base = pathname.replace(/\/$/, '')
  return `${host} {
\t@vendors path ${base}/webhooks/* ${base}/healthz
\thandle @vendors {
\t\trequest_body {
\t\t\tmax_size 2MB
\t\t}
\t\treverse_proxy ${address} {
\t\t\tlb_try_duration 3s
\t\t\ttransport http {
\t\t\t\tdial_timeout 3s
\t\t\t\tresponse_header_timeout 15s
\t\t\t}
\t\t}
\t}
\trespond 404
}`
}

function nginx({ publicUrl, address }: ProxyParts): string {
  const { hostname, port, pathname } = new URL(publicUrl)
  const base = pathname.replace(/\/$/, '')
  const listen = port === '' ? '443' : port
  return `server {
    listen ${listen} ssl;
    listen [::]:${listen} ssl;
    server_name ${hostname};
    ssl_certificate     /etc/letsencrypt/live/${hostname}/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/${hostname}/privkey.pem;

    location ~ ^${base.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}/(webhooks/|healthz$) {
        proxy_pass http://${address};
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_connect_timeout 3s;
        proxy_read_timeout 15s;
        client_max_body_size 2m;
    }
    location / { return 404; }
}`
}
