// What is wrong with the phone numbers and regions in settings: phone.ts knows, which is too heavy to load for nothing.
import { type SettingName, settings } from './schema.js'

/** Settings with a value for each number of ours. */
export const byNumber = ['teams', 'reopen', 'hours'] as const
type ByNumber = (typeof byNumber)[number]

export function isByNumber(name: SettingName): name is ByNumber {
  return byNumber.some((one) => one === name)
}

export async function faultsOfNumbers(name: ByNumber, values: ReadonlyMap<string, unknown>): Promise<string[]> {
  if (values.size === 0) return []
  const { isPhoneNumber, isShortCode } = await import('../phone.js')
  return [...values.keys()]
    .filter((key) => key !== '*' && !isPhoneNumber(key) && !isShortCode(key))
    .map(
      (key) => `${settings[name].env} ${JSON.stringify(key)} must be a number such as +15550100100, a short code or *`,
    )
}

export async function faultsOfRegion(region: string | undefined): Promise<string[]> {
  const { env, fallback, example } = settings.defaultRegion
  if (region === undefined || region === fallback) return []
  const { isRegion } = await import('../phone.js')
  if (isRegion(region)) return []
  return [`${env} ${JSON.stringify(region)} is no country that phone numbers belong to: type export ${env}=${example}`]
}
