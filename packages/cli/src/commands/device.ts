import { randomBytes } from 'node:crypto';
import type { DeviceName } from '@sallyport/application/management';
import { type DeviceDocument, UNLOCK_MODES, type UnlockMode } from '@sallyport/model';
import { Command, Option } from 'commander';
import { type Administration, administers, all, demandedChange } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample, withOrganisation } from '../options.ts';
import { UsageError } from '../report-failure.ts';
import { chosenSecret, type SecretOptions, withSecretOptions } from '../secret-input.ts';
import { showOnce, withSaveToken } from '../shown-once.ts';
import { deviceReference } from '../thing-names.ts';
import { authenticatorCommand } from './authenticator-command.ts';
import { credentialCommands } from './credential-commands.ts';
import { pendingCommand } from './device-pending.ts';
import { enrolmentCodeCommand } from './enrolment-code.ts';
import { identityCommands } from './identity-commands.ts';
import { state, stateCommands } from './state-commands.ts';

interface DeviceOptions extends SecretOptions {
  readonly type?: string;
  readonly description?: string;
  readonly role?: 'standard' | 'privileged';
  readonly expiresIn?: string;
  readonly withoutToken?: boolean;
  readonly saveToken?: string;
  readonly unlock?: UnlockMode | 'default';
  readonly owner?: string;
}

const COLUMNS = [
  { heading: 'type', value: (row: DeviceDocument) => row.type },
  { heading: 'id', value: (row: DeviceDocument) => row.id },
  { heading: 'client id', value: (row: DeviceDocument) => row.clientId },
  { heading: 'state', value: state },
  { heading: 'description', value: (row: DeviceDocument) => row.description },
];

/** `sallyport device` or `sallyport gateway`: the same things to do with either. */
export function deviceCommand(surroundings: Surroundings, noun: 'device' | 'gateway'): Command {
  const example = noun === 'device' ? 'pump/pump-9' : 'hub/hub-1';
  const [type = ''] = example.split('/');
  const meaning =
    noun === 'device' ? 'Devices: things with their own identity' : 'Gateways: devices that speak for others';
  const command = new Command(noun).description(meaning);
  const role = new Option('--role <role>', 'what it may do for others').choices(['standard', 'privileged']);
  const forGateways = (sub: Command) => (noun === 'gateway' ? sub.addOption(role) : sub);

  /** What is said to be a device must not turn out to be a gateway, above all where it is removed. */
  const named = async (administration: Administration, text: string): Promise<DeviceName> => {
    const name = await nameOf(administration, text);
    ofNoun(noun, text, await administration.management.devices.get(name));
    return name;
  };

  const add = withOrganisation(command.command(`add <${noun}>`))
    .description(`Register a ${noun}: TYPE/ID, or TYPE alone to have an id generated`)
    .option('--description <text>', 'free text')
    .option('--expires-in <time>', 'end of the life of its token, for example 90d; never if left out')
    .addOption(
      new Option('--without-token', 'register it without a token').conflicts(['token', 'tokenFile', 'tokenStdin']),
    );
  withExample(withSaveToken(withSecretOptions(forGateways(add))), `sallyport ${noun} add ${example}`).action(
    administers(surroundings, async (administration, text: string, options: DeviceOptions) => {
      const { management, output, terminal } = administration;
      const reference = deviceReference(text);
      const organisation = await administration.organisation(reference.organisation);
      const { class: kind } = await management.types.get({ organisation, id: reference.type });
      if (kind !== noun) throw otherNoun(`The members of type ${reference.type} are ${kind}s.`, kind, 'add', text);
      const chosen = await chosenSecret(options, terminal);
      const { device, token } = await management.devices.create({
        organisation,
        type: reference.type,
        id: reference.id ?? `${reference.type.slice(0, 27)}-${randomBytes(4).toString('hex')}`,
        ...(options.description !== undefined && { description: options.description }),
        ...(options.role !== undefined && { gatewayRole: options.role }),
        ...(options.expiresIn !== undefined && { expiresIn: options.expiresIn }),
        ...(options.withoutToken && { withoutToken: true }),
        ...(chosen !== undefined && { token: chosen }),
      });
      await showOnce(output, device, chosen === undefined ? token : undefined, options.saveToken);
    }),
  );
  const list = withOrganisation(command.command('list')).option('--type <id>', 'only those of this type');
  withExample(list.description(`Show all ${noun}s`), `sallyport ${noun} list --type ${type}`).action(
    administers(surroundings, async ({ management, output, organisation }, options: DeviceOptions) => {
      const org = await organisation();
      const { devices } = management;
      const every = noun === 'device' ? devices.list : devices.listGateways;
      const ofType = options.type;
      const rows = await all((page) =>
        ofType === undefined ? every(org, page) : devices.listOfType({ organisation: org, id: ofType }, page),
      );
      output.list(
        rows.filter((row) => row.class === noun),
        COLUMNS,
      );
    }),
  );
  withExample(
    withOrganisation(command.command(`show <${noun}>`)).description('Show one'),
    `sallyport ${noun} show ${example}`,
  ).action(
    administers(surroundings, async (administration, text: string) => {
      const name = await nameOf(administration, text);
      administration.output.document(ofNoun(noun, text, await administration.management.devices.get(name)));
    }),
  );
  const set = withOrganisation(command.command(`set <${noun}>`)).option(
    '--description <text>',
    'free text; empty clears it',
  );
  set
    .addOption(
      new Option('--unlock <mode>', 'whether it has to give a one-time code; default: as its type says').choices([
        ...UNLOCK_MODES,
        'default',
      ]),
    )
    .option('--owner <mail>', 'mail address to which its codes go; empty: as its type says');
  withExample(
    forGateways(set).description(`Change a ${noun}`),
    `sallyport ${noun} set ${example} --description "north wall"`,
  ).action(
    administers(surroundings, async (administration, text: string, options: DeviceOptions) => {
      const { description, role, unlock, owner } = options;
      const change = demandedChange(`sallyport ${noun} set`, {
        ...(description !== undefined && { description: description === '' ? null : description }),
        ...(role !== undefined && { gatewayRole: role }),
        ...(unlock !== undefined && { unlock: unlock === 'default' ? null : unlock }),
        ...(owner !== undefined && { owner: owner === '' ? null : owner }),
      });
      const name = await named(administration, text);
      administration.output.document(await administration.management.devices.update(name, change));
    }),
  );
  const holder = { noun, argument: noun, example, named, naming: withOrganisation };
  stateCommands(command, surroundings, { ...holder, calls: (management) => management.devices });
  authenticatorCommand(command, surroundings, { noun, example, named });
  credentialCommands(command, surroundings, {
    ...holder,
    mayChoose: true,
    calls: (management) => management.devices.credentials,
  });
  if (noun === 'device') identityCommands(command, surroundings, { noun, argument: noun, example });
  if (noun === 'device') command.addCommand(pendingCommand(surroundings));
  command.addCommand(enrolmentCodeCommand(surroundings, { noun, example, named }));
  return command;
}

async function nameOf(administration: Administration, text: string): Promise<DeviceName> {
  const reference = deviceReference(text);
  const { type, id } = reference;
  if (id === undefined)
    throw new UsageError(`"${text}" names no single device.`, 'Write TYPE/ID, for example pump/pump-7.');
  return { organisation: await administration.organisation(reference.organisation), type, id };
}

function ofNoun(noun: DeviceDocument['class'], text: string, found: DeviceDocument): DeviceDocument {
  if (found.class !== noun) throw otherNoun(`${found.principal} is no ${noun}.`, found.class, 'show', text);
  return found;
}

function otherNoun(message: string, noun: DeviceDocument['class'], verb: string, text: string): UsageError {
  return new UsageError(message, `Use the command for ${noun}s, for example: sallyport ${noun} ${verb} ${text}`);
}
