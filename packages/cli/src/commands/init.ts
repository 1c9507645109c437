import { Command } from 'commander';
import { invocation, type Surroundings } from '../invocation.ts';
import { withExample } from '../options.ts';
import { createProgress } from '../progress.ts';
import { configurationOf, withServerOptions } from '../server-options.ts';

interface InitOptions {
  readonly org?: string;
}

export function initCommand(surroundings: Surroundings): Command {
  const command = withServerOptions(new Command('init'))
    .description('Make the data directory with keys, certificates, registry and a first operator, without starting')
    .option('--org <id>', 'also make this organisation')
    .action(async ({ org }: InitOptions, self: Command) => {
      const { output, terminal } = invocation(surroundings, self);
      const configuration = await configurationOf(self);
      const { openInstallation } = await import('@sallyport/server');
      const progress = createProgress(terminal);
      const installation = await progress.step('Preparing the data directory', () =>
        openInstallation({ configuration }),
      );
      try {
        const { registry, directory, fresh } = installation;
        if (org !== undefined) await registry.organisations.create({ id: org, by: 'system' });
        output.document({
          dataDirectory: directory,
          made: fresh,
          operatorTokenFile: `${directory}/operator.token`,
          rootCertificate: `${directory}/pki/root.pem`,
          ...(org !== undefined && { organisation: org }),
        });
      } finally {
        await installation.close();
      }
    });
  return withExample(command, 'sallyport init --data-dir /var/lib/sallyport --org plant');
}
