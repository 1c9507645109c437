import { Command } from 'commander';
import { applicationCommand } from './commands/application.ts';
import { auditCommand } from './commands/audit.ts';
import { authorizationServerCommand } from './commands/authorization-server.ts';
import { blockCommand } from './commands/block.ts';
import { caCommand } from './commands/ca.ts';
import { certificateCommand } from './commands/certificate.ts';
import { configCommand } from './commands/config.ts';
import { demoCommand } from './commands/demo.ts';
import { deskCommand } from './commands/desk.ts';
import { deviceCommand } from './commands/device.ts';
import { explainCommand } from './commands/explain.ts';
import { firmwareCommand } from './commands/firmware.ts';
import { incidentCommand } from './commands/incident.ts';
import { initCommand } from './commands/init.ts';
import { issuerCommand } from './commands/issuer.ts';
import { listCommand } from './commands/list.ts';
import { oauthCommand } from './commands/oauth.ts';
import { operatorCommand } from './commands/operator.ts';
import { orgCommand } from './commands/org.ts';
import { policyCommand } from './commands/policy.ts';
import { publishCommand } from './commands/publish.ts';
import { refusalsCommand } from './commands/refusals.ts';
import { securityCommand } from './commands/security.ts';
import { sessionCommand } from './commands/session.ts';
import { simulateCommand } from './commands/simulate.ts';
import { demonstrateCommand, startCommand } from './commands/start.ts';
import { subscribeCommand } from './commands/subscribe.ts';
import { typeCommand } from './commands/type.ts';
import { unlockCommand } from './commands/unlock.ts';
import { versionCommand } from './commands/version.ts';
import type { Surroundings } from './invocation.ts';
import { withGlobalOptions } from './options.ts';

/** The whole `sallyport` command. Parsing throws instead of ending the process; what commander says goes to standard error. */
export function createProgram(surroundings: Surroundings): Command {
  const program = withGlobalOptions(new Command('sallyport'))
    .description('Run, administer and question a Sallyport server: a self-hosted, security-first MQTT platform.')
    .helpCommand('help [command]', 'show help');
  const groups: Readonly<Record<string, readonly Command[]>> = {
    'Run:': [
      startCommand(surroundings),
      demonstrateCommand(surroundings),
      authorizationServerCommand(surroundings),
      initCommand(surroundings),
      configCommand(surroundings),
    ],
    'Administer:': [
      orgCommand(surroundings),
      typeCommand(surroundings),
      deviceCommand(surroundings, 'device'),
      deviceCommand(surroundings, 'gateway'),
      applicationCommand(surroundings),
      certificateCommand(surroundings),
      caCommand(surroundings),
      oauthCommand(surroundings),
      issuerCommand(surroundings),
      operatorCommand(surroundings),
      firmwareCommand(surroundings),
      policyCommand(surroundings),
      listCommand(surroundings),
      blockCommand(surroundings),
      securityCommand(surroundings),
      incidentCommand(surroundings),
      sessionCommand(surroundings),
      unlockCommand(surroundings),
    ],
    'Question:': [explainCommand(surroundings), refusalsCommand(surroundings), auditCommand(surroundings)],
    'Try out:': [
      publishCommand(surroundings),
      subscribeCommand(surroundings),
      simulateCommand(surroundings),
      demoCommand(surroundings),
      deskCommand(surroundings),
    ],
    'About:': [versionCommand(surroundings)],
  };
  for (const [group, commands] of Object.entries(groups)) {
    for (const command of commands) program.addCommand(command.helpGroup(group));
  }
  const { terminal } = surroundings;
  for (const command of everyCommand(program)) {
    command
      .exitOverride()
      .showSuggestionAfterError()
      .configureHelp({ showGlobalOptions: true, sortOptions: true })
      .configureOutput({
        writeOut: (text) => terminal.out(text.replace(/\n$/, '')),
        writeErr: (text) => terminal.err(text.replace(/\n$/, '')),
        outputError: (text, write) =>
          write(`sallyport: ${text.replace(/^error: /, '')}  What to do: ${helpOf(command)}\n`),
      });
  }
  return program;
}

/** A command and everything below it. */
export function everyCommand(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

function helpOf(command: Command): string {
  return `${pathOf(command)} --help shows how to use it.`;
}

/** The words with which a command is called, for example `sallyport device add`. */
export function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}
