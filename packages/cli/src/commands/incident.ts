import { type IncidentDocument, type IncidentResponse, RESPONSES } from '@sallyport/model';
import { Argument, Command, Option } from 'commander';
import { administers, all } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample } from '../options.ts';
import { aligned, printable } from '../table.ts';
import { alertCommand } from './alert.ts';

const EXAMPLE = '3f2a9c0d81';
const COLUMNS = [
  { heading: 'id', value: (row: IncidentDocument) => row.id },
  { heading: 'rule', value: (row: IncidentDocument) => row.rule },
  { heading: 'subject', value: (row: IncidentDocument) => row.subject },
  { heading: 'state', value: (row: IncidentDocument) => row.containment ?? row.state },
  { heading: 'events', value: (row: IncidentDocument) => row.count },
  { heading: 'last', value: (row: IncidentDocument) => row.lastAt },
];

export function incidentCommand(surroundings: Surroundings): Command {
  const command = new Command('incident').description('Suspicions, and what is done about them');
  withExample(
    command
      .command('list')
      .description('Show incidents, newest first')
      .option('--org <id>', 'only those of an organisation')
      .addOption(new Option('--state <state>', 'only those in this state').choices(['open', 'contained', 'resolved'])),
    'sallyport incident list --state open',
  ).action(
    administers(
      surroundings,
      async ({ management, output }, { org, state }: { org?: string; state?: IncidentDocument['state'] }) => {
        const filter = { ...(org !== undefined && { organisation: org }), ...(state !== undefined && { state }) };
        output.list(await all((page) => management.incidents.list({ ...filter, ...page })), COLUMNS);
      },
    ),
  );
  withExample(
    command.command('show <id>').description('Show an incident with its timeline'),
    `sallyport incident show ${EXAMPLE}`,
  ).action(
    administers(surroundings, async ({ management, output }, id: string) => {
      const found = await management.incidents.get(id);
      output.text(incidentText(found), found);
    }),
  );
  withExample(
    command
      .command('contain <id>')
      .description('Contain the principal of an incident; holds in live sessions at once')
      .addArgument(new Argument('<response>', 'what is done; deregister cannot be taken back').choices([...RESPONSES])),
    `sallyport incident contain ${EXAMPLE} read-only`,
  ).action(
    administers(surroundings, async ({ management, output }, id: string, response: IncidentResponse) => {
      const found = await management.incidents.contain(id, response);
      output.text(incidentText(found), found);
    }),
  );
  for (const [verb, description] of [
    ['release', 'Take back what was done'],
    ['resolve', 'The suspicion is settled: take back what was done and close the incident'],
  ] as const) {
    withExample(
      command.command(`${verb} <id>`).description(description),
      `sallyport incident ${verb} ${EXAMPLE}`,
    ).action(
      administers(surroundings, async ({ management, output }, id: string) => {
        const found = await management.incidents[verb](id);
        output.text(incidentText(found), found);
      }),
    );
  }
  return command.addCommand(alertCommand(surroundings));
}

function incidentText({ id, rule, subject, state, containment, count, timeline }: IncidentDocument): string {
  const head = `Incident ${id}: ${rule}, ${printable(subject)}, ${containment ?? state}; ${count} ${count === 1 ? 'event' : 'events'}.`;
  const lines = timeline.map(({ at, text, ticket }) => [
    `  ${at}`,
    `${printable(text)}${ticket === undefined ? '' : ` (${ticket})`}`,
  ]);
  return `${head}\n${aligned(lines)}`;
}
