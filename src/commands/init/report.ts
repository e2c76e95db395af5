// The end of a run, for scripts. No secret is in it.
import type { HubStep } from './hub.js'
import type { IntercomStep } from './intercom.js'
import type { UrlStep } from './public-url.js'
import { type Applied, linesOf, type Plan } from './review.js'
import type { TwilioStep } from './twilio.js'

export interface Outcome {
  readonly twilio: TwilioStep
  readonly intercom: IntercomStep
  readonly url: UrlStep
  readonly plan: Plan
  /** Undefined: a dry run, or the person said no. */
  readonly applied: Applied | undefined
  readonly hub: HubStep
}

export function toJson({ twilio, intercom, url, plan, applied, hub }: Outcome) {
  const { account, accountSid } = twilio
  const { workspace } = intercom
  return {
    schema_version: 1,
    applied: applied !== undefined,
    twilio: {
      account: accountSid,
      name: account?.name ?? null,
      trial: account?.trial ?? null,
      changes: plan.changes.map((change) => ({
        sid: change.resource.sid,
        label: change.label,
        settings: linesOf(change),
      })),
      left_to_others: plan.left.map(({ number }) => number),
    },
    intercom: {
      workspace: workspace.name,
      app: workspace.appId,
      region: workspace.region,
      permissions_missing: intercom.missing,
      attributes: { missing: plan.attributes, created: applied?.attributes ?? [], failures: applied?.failures ?? [] },
      topics: hub.topics.map(({ name, needed, state }) => ({ name, needed, state })),
      wrong_secret: hub.wrongSecret,
      other_apps: hub.otherApps,
    },
    public_url: { url: url.config.publicUrl, checks: url.checks },
  }
}
