// What `doctor` says of the 10DLC brand, as Twilio's API shows it.
import { describe, expect, it } from 'vitest'
import { judgeBrands } from '../../src/commands/doctor/brand-check.js'
import type { Brand } from '../../src/twilio/registrations.js'
import { openDoctorWorld } from '../support/doctor-world.js'

const brand = (digit: string, status: Brand['status']): Brand => ({ sid: `BN${digit.repeat(32)}`, status, errors: [] })
const [approved, pending, failed] = [brand('1', 'APPROVED'), brand('2', 'PENDING'), brand('3', 'FAILED')]
const campaign = ({ sid: brandSid }: Pick<Brand, 'sid'>) => ({ status: 'VERIFIED', brandSid })

describe('doctor on the brand', () => {
  it('names one that was refused, with Twilio’s own words, and one that is still looked at', async () => {
    const stage = await openDoctorWorld()
    const found = async () => (await stage.examine()).report.checks.find(({ id }) => id === 'brand')
    expect(await found()).toMatchObject({ state: 'ok', what: '10DLC brand approved' })
    stage.world.twilio.setBrand('FAILED')
    expect(await stage.wrong()).toEqual(['failed brand'])
    expect(await found()).toMatchObject({
      what: expect.stringMatching(/^the 10DLC brand BN[0-9a-f]{32} is FAILED \(Invalid State\/Region\/Province\.\)$/),
      who: 'twilio',
      fixable: false,
    })
    stage.world.twilio.setBrand('IN_REVIEW')
    expect(await stage.wrong()).toEqual(['warning brand'])
    expect((await found())?.fix).toBe(
      'Console › Messaging › Regulatory Compliance › A2P 10DLC › Brands: it is being reviewed; ask Twilio when it takes longer than they say',
    )
  })

  it('is not looked at with a key that may not read it', async () => {
    const stage = await openDoctorWorld()
    stage.world.twilio.faults.arm('refuse-credentials', { method: 'GET', path: /BrandRegistrations/ })
    const { report } = await stage.examine()
    expect(report.checks.find(({ id }) => id === 'brand')).toMatchObject({
      state: 'skipped',
      what: 'this key may not read registrations',
    })
  })

  it.each([
    ['none at all', [], [], 'failed'],
    ['one to register a campaign under', [], [failed, approved], 'ok'],
    ['none that a campaign could be registered under', [], [failed, pending], 'failed'],
    ['a refused one that no campaign of ours is under', [campaign(approved)], [failed, approved], 'ok'],
    [
      'a refused one among those of our campaigns',
      [campaign(approved), campaign(failed)],
      [failed, approved],
      'failed',
    ],
    ['one that is suspended', [campaign(failed)], [{ ...failed, status: 'SUSPENDED' }], 'failed'],
    ['one that is being deleted', [campaign(failed)], [{ ...failed, status: 'DELETION_PENDING' }], 'warning'],
    ['a campaign of another account’s', [campaign(failed)], [approved], 'skipped'],
    ['a campaign that names none', [campaign({ sid: '' })], [], 'skipped'],
  ] as const)('%s', (_name, campaigns, brands, state) => {
    expect(judgeBrands(campaigns, brands).state).toBe(state)
  })
})
