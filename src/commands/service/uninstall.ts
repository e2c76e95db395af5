import type { Context } from '../../cli/context.js'
import { type ExitCode, exitCodes } from '../../cli/exit-codes.js'
import { UserError } from '../../errors.js'
import {
  expectOurUnit,
  expectRoot,
  expectSystemd,
  type Machine,
  type Service,
  serviceNamed,
  thisMachine,
} from './machine.js'

export interface UninstallOptions {
  readonly name: string
  readonly yes: boolean
  readonly dryRun: boolean
  readonly json: boolean
}

/** Stops the service and removes its unit; settings and store stay. */
export async function serviceUninstall(
  { io }: Context,
  { name, yes, dryRun, json }: UninstallOptions,
  machine: Machine = thisMachine,
): Promise<ExitCode> {
  const service = serviceNamed(name, machine)
  const { unit, home, flag } = service
  if (!dryRun) expectRoot(machine, `service uninstall${flag}`)
  await expectSystemd(machine, `Nothing was changed.`)
  // Also what an install left half-way: a unit that systemd has not read yet, or one that is gone and still runs.
  const isWritten = await expectOurUnit(service, machine)
  const asked = ['show', `${name}.service`, '--property=LoadState,FragmentPath']
  const shown = (await machine.run('systemctl', asked)).stdout.trim().split('\n')
  const isLoaded = shown.includes('LoadState=loaded')
  const path = shown.find((line) => line.startsWith('FragmentPath=/'))?.slice('FragmentPath='.length)
  if (isLoaded && path !== undefined && path !== unit) {
    throw new UserError(`The service ${name} here is of ${path}, which sms-bridge service install did not write`)
  }
  if (!isWritten && !isLoaded) {
    const kept = machine.exists(home) ? `. Settings and store of one that was are in ${home}` : ''
    throw new UserError(`There is no service ${name} here${kept}`, { exitCode: exitCodes.nothingMatched })
  }
  const steps = planOf(service, { isLoaded }, machine)
  const told = {
    schema_version: 1,
    name,
    removed: dryRun ? null : unit,
    kept: home,
    steps: steps.map((step) => step.shown),
  }
  if (dryRun) {
    if (json) io.out(JSON.stringify({ ...told, uninstalled: false }, null, 2))
    else {
      for (const step of steps) io.err(`would run: ${step.shown}`)
      io.err(`Its settings and its store would stay in ${home}.`)
      io.err('Nothing was changed.')
    }
    return exitCodes.ok
  }
  if (!yes && !(await io.confirm(`Stop ${name} and remove ${unit}? Texts are not bridged any more.`, '--yes'))) {
    io.err('Nothing was changed.')
    return exitCodes.ok
  }
  for (const step of steps) await step.run()
  if (json) io.out(JSON.stringify({ ...told, uninstalled: true }, null, 2))
  else {
    io.err(`✓ ${name} is stopped, ${unit} is removed`)
    io.err(`Its settings and its store stay in ${home}. To remove them too: sudo userdel ${name} && sudo rm -r ${home}`)
    io.err(
      'Twilio and Intercom still send their webhooks: sms-bridge init --undo restores what was set at Twilio before.',
    )
  }
  return exitCodes.ok
}

interface Step {
  /** As one would type it. */
  readonly shown: string
  readonly run: () => Promise<void>
}

function planOf(
  { name, unit }: Service,
  { isLoaded }: { readonly isLoaded: boolean },
  machine: Machine,
): readonly Step[] {
  const command = (...args: readonly string[]): Step => ({
    shown: `systemctl ${args.join(' ')}`,
    run: () => systemctl(machine, ...args),
  })
  return [
    ...(isLoaded ? [] : [command('daemon-reload')]),
    command('disable', '--now', `${name}.service`),
    { shown: `rm -f ${unit}`, run: () => machine.remove(unit) },
    command('daemon-reload'),
  ]
}

async function systemctl(machine: Machine, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await machine.run('systemctl', args)
  if (code === 0) return
  throw new UserError(
    `systemctl ${args.join(' ')} ended with ${code}: ${stderr.trim()}\nMend that and type it again: it goes on where it stopped.`,
    { exitCode: 1 },
  )
}
