// Every check there is, in the order in which they are told of.
import { checkBackup } from './backup-check.js'
import { checkClock } from './clock-check.js'
import type { Check } from './finding.js'
import { checkHours } from './hours-check.js'
import { checkAttributes, checkIntercom, checkIntercomPermissions, checkRegion } from './intercom-checks.js'
import { checkDoubleReplies, checkTeams } from './people-checks.js'
import { checkRegistrations } from './registration-checks.js'
import { checkServeSettings } from './serve-settings-check.js'
import { checkProfile, checkSettings } from './settings-checks.js'
import { checkLedger, checkQueue, checkServe, checkStore } from './store-checks.js'
import { checkTls } from './tls-check.js'
import { checkSubscription, checkTextWebhooks, checkTokens } from './traffic-checks.js'
import { checkTwilio, checkTwilioPermissions } from './twilio-checks.js'
import { checkPublicUrl, checkSignature } from './url-checks.js'
import { checkWebhooks } from './webhook-checks.js'

export const checks: readonly Check[] = [
  { id: 'settings', run: checkSettings },
  { id: 'profile', run: checkProfile },
  { id: 'twilio-credentials', run: checkTwilio },
  { id: 'twilio-permissions', run: checkTwilioPermissions },
  { id: 'token-rotation', run: checkTokens },
  { id: 'intercom-credentials', run: checkIntercom },
  { id: 'intercom-region', run: checkRegion },
  { id: 'intercom-permissions', run: checkIntercomPermissions },
  { id: 'intercom-attributes', run: checkAttributes },
  { id: 'teams', run: checkTeams },
  { id: 'hours', run: checkHours },
  { id: 'public-url', run: checkPublicUrl },
  { id: 'tls', run: checkTls },
  { id: 'signature', run: checkSignature },
  { id: 'webhooks', run: checkWebhooks },
  { id: 'twilio-webhooks', run: checkTextWebhooks },
  { id: 'intercom-subscription', run: checkSubscription },
  { id: 'registration', run: checkRegistrations },
  { id: 'double-replies', run: checkDoubleReplies },
  { id: 'clock', run: checkClock },
  { id: 'serve', run: checkServe },
  { id: 'serve-settings', run: checkServeSettings },
  { id: 'ledger', run: checkLedger },
  { id: 'queue', run: checkQueue },
  { id: 'backup', run: checkBackup },
  { id: 'store', last: true, run: checkStore },
]
