import type { ForecastCounts, ForecastRow, SecurityLevel } from '@sallyport/model';
import { Command } from 'commander';
import { administers } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { securityOption, withExample, withOrganisation } from '../options.ts';
import { NegativeAnswer } from '../report-failure.ts';

const COLUMNS = [
  { heading: 'who', value: ({ clientId, principal }: ForecastRow) => clientId ?? principal },
  { heading: 'outcome', value: (row: ForecastRow) => row.outcome },
  { heading: 'why', value: (row: ForecastRow) => row.why },
];

/** `sallyport security`: what a level would change before it is saved. */
export function securityCommand(surroundings: Surroundings): Command {
  const command = new Command('security').description('Connection security, looked at before it is changed');
  withExample(
    withOrganisation(command.command('predict'))
      .description('Who would comply with a level, and which live sessions would end; exit code 1 if any fail')
      .option('--type <id>', 'of this device type; of the default of the organisation if left out')
      .addOption(securityOption('--level').makeOptionMandatory()),
    'sallyport security predict --type pump --level tls-certificate',
  ).action(
    administers(
      surroundings,
      async (
        { management, output, organisation },
        { type, level }: { readonly type?: string; readonly level: SecurityLevel },
      ) => {
        const forecast = await management.predictSecurity(await organisation(), {
          level,
          ...(type === undefined ? {} : { type }),
        });
        const { principals, sessions } = forecast;
        output.text(
          [
            `devices and applications: ${counted(principals)}`,
            `live and kept sessions:   ${counted(sessions)}`,
            ...(forecast.truncated ? ['There are more than were looked at; the counts are of the first ones.'] : []),
          ].join('\n'),
          forecast,
        );
        if (!output.json && principals.rows.length > 0) output.list(principals.rows, COLUMNS);
        if (!output.json && sessions.rows.length > 0) output.list(sessions.rows, COLUMNS);
        if (principals.fails + sessions.fails > 0) throw new NegativeAnswer();
      },
    ),
  );
  return command;
}

function counted({ complies, fails, unknown }: ForecastCounts): string {
  return `${complies} comply, ${fails} fail, ${unknown} unknown`;
}
