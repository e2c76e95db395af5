import type { Context } from '../../cli/context.js'
import { type ExitCode, exitCodes } from '../../cli/exit-codes.js'
import { UserError } from '../../errors.js'
import { expectRoot, type Machine, serviceNamed, thisMachine } from './machine.js'

export interface UninstallOptions {
  readonly name: string
  readonly yes: boolean
  readonly json: boolean
}

/** Stops the service and removes its unit; settings and store stay. */
export async function serviceUninstall(
  { io }: Context,
  { name, yes, json }: UninstallOptions,
  machine: Machine = thisMachine,
): Promise<ExitCode> {
  const { unit, home } = serviceNamed(name, machine)
  expectRoot(machine, `service uninstall${name === 'sms-bridge' ? '' : ` --name ${name}`}`)
  const { stdout } = await machine.run('systemctl', ['show', `${name}.service`, '--property=LoadState'])
  if (stdout.trim() !== 'LoadState=loaded') {
    throw new UserError(`There is no service ${name} here`, { exitCode: exitCodes.nothingMatched })
  }
  if (!yes && !(await io.confirm(`Stop ${name} and remove ${unit}? Texts are not bridged any more.`, '--yes'))) {
    return exitCodes.interrupted
  }
  for (const args of [['disable', '--now', `${name}.service`], ['daemon-reload']] as const) {
    if (args[0] === 'daemon-reload') await machine.remove(unit)
    const { code, stderr } = await machine.run('systemctl', args)
    if (code !== 0) {
      throw new UserError(`systemctl ${args.join(' ')} ended with ${code}: ${stderr.trim()}`, { exitCode: 1 })
    }
  }
  if (json) io.out(JSON.stringify({ schema_version: 1, name, removed: unit, kept: home }, null, 2))
  else {
    io.err(`✓ ${name} is stopped, ${unit} is removed`)
    io.err(`Its settings and its store stay in ${home}. To remove them too: sudo userdel ${name} && sudo rm -r ${home}`)
    io.err(
      'Twilio and Intercom still send their webhooks: sms-bridge init --undo restores what was set at Twilio before.',
    )
  }
  return exitCodes.ok
}
