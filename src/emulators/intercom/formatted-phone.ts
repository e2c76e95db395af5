/**
 * A phone number as search's `formatted_phone` knows it: spaces, brackets and hyphens stripped, `00` read as `+`
 * (help article 6311200). Null when no country code was given.
 */
export function toE164(phone: string | null): string | null {
  const stripped = phone?.replace(/[\s()-]/g, '').replace(/^00/, '+')
  return stripped !== undefined && /^\+\d{4,15}$/.test(stripped) ? stripped : null
}
