import {
  type CommandProtection,
  type DeviceTypeDocument,
  type PayloadEncryption,
  type SecurityLevel,
  UNLOCK_CHANNELS,
  UNLOCK_MODES,
  type UnlockMode,
  type UnlockSettings,
} from '@sallyport/model';
import { Command, Option } from 'commander';
import { administers, all, demandedChange } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { securityOption, withExample, withOrganisation, withPayloadOptions } from '../options.ts';
import { changedLimits } from '../type-limits.ts';

interface TypeOptions {
  readonly gateway?: boolean;
  readonly description?: string;
  readonly security?: SecurityLevel;
  readonly defaultSecurity?: boolean;
  readonly commands?: CommandProtection;
  readonly encryption?: PayloadEncryption;
  readonly limits?: readonly string[];
}

interface UnlockOptions {
  readonly unlock?: UnlockMode;
  readonly unlockChannels?: readonly string[];
  readonly publishedFlow?: boolean;
  readonly allowCodeInReply?: boolean;
  readonly owner?: string;
}

/** What of the demand for codes is to change; what no option names stays as it was. */
async function unlockChange(
  { unlock: mode, unlockChannels, publishedFlow, allowCodeInReply }: UnlockOptions,
  current: () => Promise<UnlockSettings | undefined>,
): Promise<UnlockSettings | undefined> {
  if ([mode, unlockChannels, publishedFlow, allowCodeInReply].every((option) => option === undefined)) return undefined;
  const before = (await current()) ?? { mode: 'off' };
  const channels =
    unlockChannels === undefined ? before.channels : UNLOCK_CHANNELS.filter((each) => unlockChannels.includes(each));
  const published = publishedFlow ?? allowCodeInReply ?? before.publishedFlow;
  return {
    mode: mode ?? before.mode,
    ...(channels && { channels }),
    ...(published && { publishedFlow: true }),
    ...(published && (allowCodeInReply ?? before.allowCodeInReply) && { allowCodeInReply: true }),
  };
}

const COLUMNS = [
  { heading: 'id', value: (row: DeviceTypeDocument) => row.id },
  { heading: 'class', value: (row: DeviceTypeDocument) => row.class },
  { heading: 'security', value: (row: DeviceTypeDocument) => row.security ?? "the organisation's" },
  { heading: 'unlock', value: (row: DeviceTypeDocument) => row.unlock?.mode ?? 'off' },
  { heading: 'commands', value: (row: DeviceTypeDocument) => row.commands ?? 'any' },
  { heading: 'encryption', value: (row: DeviceTypeDocument) => row.encryption ?? 'optional' },
  { heading: 'description', value: (row: DeviceTypeDocument) => row.description },
];

function limitsOption(): Option {
  return new Option(
    '--limits <name=value...>',
    'bounds on its devices, in place of those of the configuration; nothing behind the sign takes those again',
  );
}

export function typeCommand(surroundings: Surroundings): Command {
  const command = new Command('type').description('Device types, which carry the connection security');
  withExample(
    withPayloadOptions(
      withOrganisation(command.command('add <id>'))
        .description('Make a device type')
        .option('--gateway', 'its members are gateways, which may speak for other devices')
        .option('--description <text>', 'free text')
        .addOption(securityOption())
        .addOption(limitsOption()),
    ),
    'sallyport type add meter --security tls-certificate-or-token',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, id: string, options: TypeOptions) => {
      const { gateway, description, security, commands, encryption, limits } = options;
      const type = await management.types.create({
        organisation: await organisation(),
        id,
        class: gateway ? 'gateway' : 'device',
        ...(description !== undefined && { description }),
        ...(security !== undefined && { security }),
        ...(commands !== undefined && { commands }),
        ...(encryption !== undefined && { encryption }),
        ...(limits !== undefined && { limits: changedLimits({}, limits) }),
      });
      output.document(type);
    }),
  );
  withExample(
    withOrganisation(command.command('list')).description('Show all device types'),
    'sallyport type list',
  ).action(
    administers(surroundings, async ({ management, output, organisation }) => {
      const name = await organisation();
      output.list(await all((page) => management.types.list(name, page)), COLUMNS);
    }),
  );
  withExample(
    withOrganisation(command.command('show <id>')).description('Show one'),
    'sallyport type show pump',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, id: string) => {
      output.document(await management.types.get({ organisation: await organisation(), id }));
    }),
  );
  withExample(
    withPayloadOptions(withOrganisation(command.command('set <id>')))
      .description('Change a device type; an empty description clears it')
      .option('--description <text>', 'free text')
      .addOption(securityOption().conflicts('defaultSecurity'))
      .option('--default-security', "take the organisation's connection security")
      .addOption(
        new Option('--unlock <mode>', 'whether its devices have to give a one-time code').choices([...UNLOCK_MODES]),
      )
      .addOption(
        new Option('--unlock-channels <channel...>', 'how codes get to owners; console if left out').choices([
          ...UNLOCK_CHANNELS,
        ]),
      )
      .option('--published-flow', 'let its devices speak the published JSON flow too')
      .option('--no-published-flow', 'take it no longer')
      .option('--allow-code-in-reply', 'unsafe: answer the published flow with the code itself')
      .option('--owner <mail>', 'mail address to which the codes of its devices go; empty clears it')
      .addOption(limitsOption()),
    'sallyport type set meter --security tls-optional',
    'sallyport type set meter --commands signed --encryption required',
    'sallyport type set meter --limits maximumMessageRate=20 maximumQueuedSize=1MiB maximumSubscriptions=',
    'sallyport type set pump --unlock one-time-code --unlock-channels mail console --owner ann@example.com',
  ).action(
    administers(
      surroundings,
      async ({ management, output, organisation }, id: string, options: TypeOptions & UnlockOptions) => {
        const { description, security, defaultSecurity, owner, commands, encryption, limits } = options;
        const name = { organisation: await organisation(), id };
        const unlock = await unlockChange(options, async () => (await management.types.get(name)).unlock);
        const change = demandedChange('sallyport type set', {
          ...(unlock !== undefined && { unlock }),
          ...(owner !== undefined && { owner: owner === '' ? null : owner }),
          ...(description !== undefined && { description: description === '' ? null : description }),
          ...(security !== undefined && { security }),
          ...(defaultSecurity && { security: null }),
          ...(commands !== undefined && { commands }),
          ...(encryption !== undefined && { encryption }),
          ...(limits !== undefined && {
            limits: changedLimits((await management.types.get(name)).limits ?? {}, limits),
          }),
        });
        output.document(await management.types.update(name, change));
      },
    ),
  );
  withExample(
    withOrganisation(command.command('remove <id>')).description('Remove a device type that has no devices'),
    'sallyport type remove meter',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, id: string) => {
      await management.types.remove({ organisation: await organisation(), id });
      output.text(`Removed type ${id}.`, { removed: id });
    }),
  );
  return command;
}
