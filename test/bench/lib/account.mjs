// One made-up account for every bench. The numbers are from the range kept for fiction.
export const account = {
  accountSid: `AC${'0123456789abcdef'.repeat(2)}`,
  authToken: 'f'.repeat(32),
  accessToken: 'fake-access-token',
  clientSecret: 'fake-client-secret',
  ours: '+15550100100',
}

export const customer = (lane) => `+1555010${String(1000 + lane)}`
