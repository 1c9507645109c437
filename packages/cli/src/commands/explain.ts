import { existsSync } from 'node:fs';
import type { Explanation, Question, Refusal } from '@sallyport/model';
import { parsePolicyDocument } from '@sallyport/policy';
import { Command, Option } from 'commander';
import { connectAsOperator } from '../administration.ts';
import { dataDirectoryPaths, runningServer } from '../data-directory.ts';
import { explanationText, refusalText } from '../explanation-text.ts';
import { type GlobalOptions, invocation, type Surroundings } from '../invocation.ts';
import { withExample } from '../options.ts';
import type { Output } from '../output.ts';
import { policyText } from '../policy-file.ts';
import { NegativeAnswer, UsageError } from '../report-failure.ts';
import { printable } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { explainLatest } from './latest-refusals.ts';
import { invalidPolicy } from './policy.ts';

interface ExplainOptions extends GlobalOptions {
  readonly as?: string;
  readonly clientId?: string;
  readonly client?: string;
  readonly transport?: NonNullable<Question['transport']>;
  readonly address?: string;
  readonly policy?: string;
  readonly role?: readonly string[];
  readonly grant?: readonly string[];
}

const ACTIONS = ['connect', 'publish', 'subscribe', 'receive'] as const;

export function explainCommand(surroundings: Surroundings): Command {
  const command = new Command('explain')
    .description('Say why something was refused, or whether a principal may do something (exit code 1 if not)')
    .usage(
      'TICKET\n       sallyport explain --address ADDRESS | --client CLIENT-ID\n       sallyport explain --as PRINCIPAL ACTION RESOURCE',
    )
    .argument('[ticket-or-action]', `ticket of a refusal, or with --as one of ${ACTIONS.join(', ')}`)
    .argument('[resource]', 'with --as: topic name, topic filter or client id')
    .option('--as <principal>', 'ask for this principal, for example device:demo/pump/pump-7')
    .option('--client-id <id>', 'client id of its session; else its own')
    .addOption(new Option('--transport <kind>', 'how it is connected').choices(['tcp', 'tls', 'ws', 'wss']))
    .option(
      '--address <address>',
      'the newest refusals of this address, also in the handshake; with --as where it comes from',
    )
    .option('--client <id>', 'the newest refusals of this client id')
    .option(
      '--grant <grant>',
      'what its access token grants, publish:FILTER or subscribe:FILTER; repeat it for more',
      also,
    )
    .option('--policy <file>', 'ask the statements of this file instead of a server')
    .option('--role <role>', 'with --policy: a role of the principal; repeat it for more', also)
    .action(async (first: string | undefined, resource: string | undefined, _options: object, self: Command) => {
      const { output, terminal } = invocation(surroundings, self);
      const options = self.optsWithGlobals<ExplainOptions>();
      const { address, client } = options;
      if (options.as === undefined && first === undefined && (address !== undefined || client !== undefined)) {
        const management = connectAsOperator(options);
        return explainLatest(management, output, { address, client }).finally(() => management.close());
      }
      if (first === undefined || (options.as === undefined && (address ?? client) !== undefined)) {
        throw new UsageError(
          first === undefined ? 'There is nothing to explain.' : 'Two things to explain were given.',
          'Give a ticket, or --address ADDRESS, or --client CLIENT-ID, or --as PRINCIPAL ACTION RESOURCE.',
        );
      }
      if (options.as === undefined) {
        if (resource !== undefined)
          throw new UsageError(
            'Two things to explain were given.',
            'Give one ticket, or --as PRINCIPAL ACTION RESOURCE.',
          );
        const refusal = await findRefusal(options, first);
        return output.text(refusalText(refusal), refusal);
      }
      const explanation = await answer(output, terminal, options, question(options, first, resource));
      output.text(explanationText(explanation), explanation);
      if (explanation.effect === 'deny') throw new NegativeAnswer();
    });
  return withExample(
    command,
    'sallyport explain 7Q4XKM',
    'sallyport explain --address 192.0.2.7',
    'sallyport explain --as device:demo/pump/pump-7 publish iot-2/evt/status/fmt/json',
    'sallyport explain --as application:demo/desk --policy policy.yaml --role reader subscribe "#"',
  );
}

/** A repeated option, so that what follows it is not taken for more of it. */
function also(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

function question(options: ExplainOptions, action: string, resource: string | undefined): Question {
  const known = ACTIONS.find((each) => each === action);
  if (known === undefined) throw new UsageError(`"${action}" is no action.`, `Use one of ${ACTIONS.join(', ')}.`);
  if (resource === undefined)
    throw new UsageError(
      `What is to be asked about "${action}" is missing.`,
      'Add a topic, a topic filter or a client id.',
    );
  if (resource === '' && known !== 'connect')
    throw new UsageError(`A topic to ${known} may not be empty.`, 'Add a topic or a topic filter.');
  const { as = '', clientId, transport, address, grant } = options;
  return {
    as,
    action: known,
    resource,
    ...(clientId !== undefined && { clientId }),
    ...(transport !== undefined && { transport }),
    ...(address !== undefined && { address }),
    ...(grant !== undefined && { grants: grant }),
  };
}

async function findRefusal(options: ExplainOptions, ticket: string): Promise<Refusal> {
  if (!/^[A-Za-z0-9]{6}$/.test(ticket))
    throw new UsageError(
      `"${printable(ticket)}" is no ticket.`,
      'A ticket has six letters and digits, for example 7Q4XKM.',
    );
  const { server, dataDir } = options;
  if (server === undefined && !runningServer(dataDir) && existsSync(dataDirectoryPaths(dataDir).database)) {
    const { findRefusalOffline } = await import('@sallyport/server');
    return findRefusalOffline(dataDir, ticket);
  }
  const management = connectAsOperator(options);
  return management.explainTicket(ticket).finally(() => management.close());
}

async function answer(
  output: Output,
  terminal: Terminal,
  options: ExplainOptions,
  asked: Question,
): Promise<Explanation> {
  const { policy, role, dataDir, server } = options;
  const running = server !== undefined || runningServer(dataDir) !== undefined;
  if (policy === undefined && running) {
    const management = connectAsOperator(options);
    return management.explain(asked).finally(() => management.close());
  }
  // A file is asked together with the registry at rest, if there is one: it knows the roles.
  const atRest = !running && existsSync(dataDirectoryPaths(dataDir).database);
  const text = policy === undefined ? undefined : await policyText(terminal, policy);
  const parsed = text === undefined ? undefined : parsePolicyDocument(text);
  if (policy !== undefined && parsed?.ok === false) throw invalidPolicy(output, policy, parsed.problems);
  const offline = {
    ...((atRest || policy === undefined) && { dataDirectory: dataDir }),
    ...(text !== undefined && { policyText: text }),
    ...(role !== undefined && { roles: role }),
  };
  const { explainOffline } = await import('@sallyport/server');
  return explainOffline(offline, asked);
}
