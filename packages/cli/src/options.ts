import { COMMAND_PROTECTIONS, PAYLOAD_ENCRYPTIONS, SECURITY_LEVELS } from '@sallyport/model';
import { type Command, Option } from 'commander';

const HELP_GROUP = 'Options of every command:';

/** Adds the options that every command takes, before or after its own. */
export function withGlobalOptions(command: Command): Command {
  return [
    new Option('--json', 'results as JSON on standard output'),
    new Option('--data-dir <folder>', 'folder of the server').default('./sallyport-data').env('SALLYPORT_DATA_DIR'),
    new Option('--server <url>', 'another server, for example https://iot.example:8443').env('SALLYPORT_SERVER'),
    new Option('--operator-token-file <file>', 'operator token; else operator.token of the data folder'),
    new Option('--ca <file>', 'root certificate to trust; else pki/root.pem of the data folder'),
    new Option('--verbose', 'show where in the program an error came from'),
  ].reduce((each, option) => each.addOption(option.helpGroup(HELP_GROUP)), command);
}

/** Adds an example to the end of the help text. */
export function withExample(command: Command, ...lines: readonly string[]): Command {
  return command.addHelpText('after', `\nExample:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
}

/** Adds `--org`, which is needed only where there is more than one organisation. */
export function withOrganisation(command: Command): Command {
  return command.option('--org <id>', 'organisation; not needed where there is only one');
}

/** `--security`, or another flag, with the five levels. */
export function securityOption(flag = '--security'): Option {
  return new Option(`${flag} <level>`, 'connection security').choices([...SECURITY_LEVELS]);
}

/** `--commands` and `--encryption`: what the messages of a device type must be. */
export function withPayloadOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--commands <form>', 'what commands must be: signed, with the published uid, or anything').choices([
        ...COMMAND_PROTECTIONS,
      ]),
    )
    .addOption(
      new Option('--encryption <rule>', 'whether payloads must be sealed end to end').choices([...PAYLOAD_ENCRYPTIONS]),
    );
}
