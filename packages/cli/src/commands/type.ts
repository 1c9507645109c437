import type { DeviceTypeDocument, SecurityLevel } from '@sallyport/model';
import { Command } from 'commander';
import { administers, all, demandedChange } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { securityOption, withExample, withOrganisation } from '../options.ts';

interface TypeOptions {
  readonly gateway?: boolean;
  readonly description?: string;
  readonly security?: SecurityLevel;
  readonly defaultSecurity?: boolean;
}

const COLUMNS = [
  { heading: 'id', value: (row: DeviceTypeDocument) => row.id },
  { heading: 'class', value: (row: DeviceTypeDocument) => row.class },
  { heading: 'security', value: (row: DeviceTypeDocument) => row.security ?? "the organisation's" },
  { heading: 'description', value: (row: DeviceTypeDocument) => row.description },
];

export function typeCommand(surroundings: Surroundings): Command {
  const command = new Command('type').description('Device types, which carry the connection security');
  withExample(
    withOrganisation(command.command('add <id>'))
      .description('Make a device type')
      .option('--gateway', 'its members are gateways, which may speak for other devices')
      .option('--description <text>', 'free text')
      .addOption(securityOption()),
    'sallyport type add meter --security tls-certificate-or-token',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, id: string, options: TypeOptions) => {
      const { gateway, description, security } = options;
      const type = await management.types.create({
        organisation: await organisation(),
        id,
        class: gateway ? 'gateway' : 'device',
        ...(description !== undefined && { description }),
        ...(security !== undefined && { security }),
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
    withOrganisation(command.command('set <id>'))
      .description('Change a device type; an empty description clears it')
      .option('--description <text>', 'free text')
      .addOption(securityOption().conflicts('defaultSecurity'))
      .option('--default-security', "take the organisation's connection security"),
    'sallyport type set meter --security tls-optional',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, id: string, options: TypeOptions) => {
      const { description, security, defaultSecurity } = options;
      const change = demandedChange('sallyport type set', {
        ...(description !== undefined && { description: description === '' ? null : description }),
        ...(security !== undefined && { security }),
        ...(defaultSecurity && { security: null }),
      });
      output.document(await management.types.update({ organisation: await organisation(), id }, change));
    }),
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
