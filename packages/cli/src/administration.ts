import { existsSync, readFileSync } from 'node:fs';
import { connectManagement, everyItem, type Management, type PageOptions } from '@sallyport/application/management';
import { Failure, type Page } from '@sallyport/model';
import type { Command } from 'commander';
import { dataDirectoryPaths, hostFor, runningServer } from './data-directory.ts';
import { type GlobalOptions, type Invocation, invocation, type Surroundings } from './invocation.ts';
import { UsageError } from './report-failure.ts';

/** One call of a command that administers a server. */
export interface Administration extends Invocation {
  readonly management: Management;
  /** The organisation that was named, else the only one there is. */
  organisation(named?: string): Promise<string>;
}

/** Makes the action of a command: connects as an operator, does the work with arguments and options, lets go of the connection. */
export function administers<A extends readonly unknown[]>(
  surroundings: Surroundings,
  work: (administration: Administration, ...args: A) => Promise<void>,
): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    const self = args.at(-1) as Command;
    const call = invocation(surroundings, self);
    const management = connectAsOperator(call.options);
    const { org } = self.optsWithGlobals<{ org?: string }>();
    const organisation = async (named?: string) => {
      if (named !== undefined && org !== undefined && named !== org) {
        throw new UsageError(`Organisation ${named} was named, and ${org} with --org.`, 'Name one organisation.');
      }
      return organisationOf(management, named ?? org);
    };
    try {
      await work({ ...call, management, organisation }, ...(args.slice(0, -1) as unknown as A));
    } finally {
      management.close();
    }
  };
}

/**
 * A client of the API with what the options name, else with what lies in the data directory.
 *
 * @throws Failure `server_unreachable` if no server is named and none runs on the data directory
 */
export function connectAsOperator(options: GlobalOptions): Management {
  const { dataDir, server, operatorTokenFile, ca } = options;
  const paths = dataDirectoryPaths(dataDir);
  if (server !== undefined && ca !== undefined && operatorTokenFile === undefined) {
    // Another server with another root must not be shown the token of this one by accident.
    throw new UsageError(
      '--server with --ca needs an operator token for that server.',
      'Add --operator-token-file FILE.',
    );
  }
  const root = ca ?? (existsSync(paths.root) ? paths.root : undefined);
  return connectManagement({
    url: server ?? urlOfRunningServer(dataDir),
    token: operatorToken(operatorTokenFile ?? paths.operatorToken),
    ...(root === undefined ? {} : { ca: root }),
  });
}

/** Every item of a list, page after page. */
export async function all<T>(list: (page: PageOptions) => Promise<Page<T>>): Promise<readonly T[]> {
  const items: T[] = [];
  for await (const item of everyItem(list)) items.push(item);
  return items;
}

function urlOfRunningServer(dataDir: string): string {
  const running = runningServer(dataDir);
  if (running) return `https://${hostFor(running.address)}:${running.httpPort}`;
  throw new Failure('server_unreachable', `No server runs on the data directory ${dataDir}.`, {
    cure: 'Start it with `sallyport start`, or name another folder with --data-dir, or a server with --server.',
  });
}

function operatorToken(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Failure('unauthenticated', `The operator token cannot be read from ${file}.`, {
      cause,
      cure: 'Run the command as the user who runs the server, or give --operator-token-file FILE.',
    });
  }
}

async function organisationOf(management: Management, named: string | undefined): Promise<string> {
  if (named !== undefined) return named;
  const { items, next } = await management.organisations.list({ limit: 2 });
  const [only, second] = items;
  if (only !== undefined && second === undefined && next === undefined) return only.id;
  if (only === undefined) throw new UsageError('There is no organisation yet.', 'Make one: sallyport org add ID.');
  throw new UsageError(
    'There is more than one organisation.',
    'Say which with --org ID; `sallyport org list` shows them.',
  );
}

/**
 * The change that the options of a `set` command ask for.
 *
 * @throws UsageError if they ask for none
 */
export function demandedChange<T extends object>(command: string, change: T): T {
  if (Object.keys(change).length > 0) return change;
  throw new UsageError('Nothing to change was named.', `Say what to change: ${command} --help lists it.`);
}
