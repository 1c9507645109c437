import { Command } from 'commander';
import { invocation, type Surroundings } from '../invocation.ts';
import { withExample } from '../options.ts';
import { configurationOf, withServerOptions } from '../server-options.ts';

export function configCommand(surroundings: Surroundings): Command {
  const command = new Command('config').description('The configuration of a server');
  const show = withServerOptions(command.command('show'))
    .description('Show every setting as it would hold; durations in milliseconds, sizes in bytes')
    .action(async (_options: object, self: Command) => {
      const { output } = invocation(surroundings, self);
      const configuration = await configurationOf(self);
      output.text(settings(configuration).join('\n'), configuration);
    });
  withExample(show, 'sallyport config show --config sallyport.yaml');
  const check = command
    .command('check <file>')
    .description('Say what is wrong with a configuration file')
    .action(async (file: string, _options: object, self: Command) => {
      const { loadConfiguration } = await import('@sallyport/server');
      loadConfiguration({ file });
      invocation(surroundings, self).output.text(`${file} is a correct configuration.`, { ok: true });
    });
  withExample(check, 'sallyport config check sallyport.yaml');
  return command;
}

function settings(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const name = prefix === '' ? key : `${prefix}.${key}`;
    if (typeof inner === 'object' && inner !== null && !Array.isArray(inner)) return settings(inner, name);
    return [`${name}: ${JSON.stringify(inner)}`];
  });
}
