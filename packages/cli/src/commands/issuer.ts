import { readFile } from 'node:fs/promises';
import type { IssuerDocument } from '@sallyport/model';
import { Command, InvalidArgumentError, Option } from 'commander';
import { administers, all } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { durationOption } from '../option-values.ts';
import { withExample, withOrganisation } from '../options.ts';
import { UsageError } from '../report-failure.ts';

const COLUMNS = [
  { heading: 'id', value: (row: IssuerDocument) => row.id },
  { heading: 'issuer', value: (row: IssuerDocument) => row.issuer },
  { heading: 'audience', value: (row: IssuerDocument) => row.audience },
  { heading: 'tokens', value: (row: IssuerDocument) => row.tokens },
  { heading: 'names', value: (row: IssuerDocument) => row.principal },
];

interface IssuerFlags {
  readonly issuer?: string;
  readonly audience?: string;
  readonly jwks?: string;
  readonly keys?: string;
  readonly opaque?: boolean;
  readonly algorithms?: readonly string[];
  readonly typ?: string;
  readonly clockSkew?: number;
  readonly longestLife?: number;
  readonly principal?: string;
  readonly grants?: 'required' | 'optional';
  readonly requireBound?: boolean;
  readonly introspect?: string | false;
  readonly clientId?: string;
  readonly clientSecret?: string;
  readonly clientKey?: string;
  readonly cache?: number;
}

export function issuerCommand(surroundings: Surroundings): Command {
  const command = new Command('issuer').description('Authorization servers whose access tokens an organisation takes');
  withExample(withOrganisation(command.command('list')).description('Show all'), 'sallyport issuer list').action(
    administers(surroundings, async ({ management, output, organisation }) => {
      const name = await organisation();
      output.list(await all((page) => management.issuers.list(name, page)), COLUMNS);
    }),
  );
  withExample(
    withOrganisation(command.command('show <id>')).description('Show one with its settings'),
    'sallyport issuer show plant',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, id: string) => {
      output.document(await management.issuers.get(await organisation(), id));
    }),
  );
  withExample(
    withSettings(withOrganisation(command.command('add <id>')))
      .requiredOption('--issuer <url>', 'exactly the claim "iss" of its tokens')
      .requiredOption('--audience <name>', 'one of the audiences of its tokens')
      .option('--opaque', 'its tokens are no JWTs: it is asked about each')
      .description('Take the access tokens of an authorization server'),
    'sallyport issuer add plant --issuer https://login.example --audience mqtt.example --jwks https://login.example/jwks',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, id: string, flags: IssuerFlags) => {
      const { issuer = '', audience = '', opaque } = flags;
      const introspection = introspectionOf(flags);
      const body = {
        id,
        issuer,
        audience,
        ...(opaque === true ? { tokens: 'opaque' as const } : {}),
        ...(await settingsOf(flags)),
      };
      const added = await management.issuers.add(await organisation(), {
        ...body,
        ...(introspection === undefined ? {} : { introspection }),
      });
      output.document(added);
    }),
  );
  withExample(
    withSettings(withOrganisation(command.command('set <id>')))
      .option('--issuer <url>', 'exactly the claim "iss" of its tokens')
      .option('--audience <name>', 'one of the audiences of its tokens')
      .option('--no-require-bound', 'take tokens that are bound to no certificate too')
      .option('--no-introspect', 'ask no more about tokens that are JWTs')
      .description('Change settings; sessions that stand on its tokens end and may come back'),
    'sallyport issuer set plant --require-bound --longest-life 1h',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, id: string, flags: IssuerFlags) => {
      const name = await organisation();
      const { issuer, audience, introspect } = flags;
      const introspection = introspect === false ? null : introspectionOf(flags);
      const settings = await settingsOf(flags);
      const changes = {
        ...(issuer === undefined ? {} : { issuer }),
        ...(audience === undefined ? {} : { audience }),
        ...settings,
        // The other way of having keys goes with it.
        ...('jwksUrl' in settings ? { keys: null } : 'keys' in settings ? { jwksUrl: null } : {}),
        ...(introspection === undefined ? {} : { introspection }),
      };
      if (Object.keys(changes).length === 0) {
        throw new UsageError('Nothing to change was named.', 'sallyport issuer set --help shows what can be set.');
      }
      output.document(await management.issuers.update(name, id, changes));
    }),
  );
  withExample(
    withOrganisation(command.command('remove <id>')).description('Take its tokens no more; sessions on them end'),
    'sallyport issuer remove plant',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, id: string) => {
      await management.issuers.remove(await organisation(), id);
      output.text(`Removed issuer ${id}.`, { removed: id });
    }),
  );
  return command;
}

function withSettings(command: Command): Command {
  return command
    .option('--jwks <url>', 'where its public keys are fetched; https')
    .option('--keys <file>', 'its public keys instead: a JWK set, or one key in PEM')
    .option('--algorithms <names>', 'how its tokens may be signed, with commas: ES256,EdDSA', listOption)
    .option('--typ <type>', 'type of its tokens, at+jwt (RFC 9068); "any" demands fewer claims')
    .option('--clock-skew <duration>', 'by how much clocks may differ; 5m at most', secondsOption)
    .option('--longest-life <duration>', 'how long a token may live', secondsOption)
    .option('--principal <template>', 'whom a token names: "application:{client_id}", "device:{sub}", "{sub}"')
    .addOption(
      new Option('--grants <how>', 'whether a token must say what it grants').choices(['required', 'optional']),
    )
    .option('--require-bound', 'take only tokens that are bound to a client certificate')
    .option('--introspect <url>', 'ask here whether a token is still active (RFC 7662)')
    .option('--client-id <id>', 'client id of this server there')
    .option('--client-secret <name>', 'file with its secret, in the folder "secrets" of the data directory')
    .option('--client-key <name>', 'file with its private key there, for private_key_jwt')
    .option('--cache <duration>', 'for how long an answer holds at most', secondsOption);
}

async function settingsOf(flags: IssuerFlags) {
  const { jwks, keys, algorithms, typ, clockSkew, longestLife, principal, grants, requireBound } = flags;
  return {
    ...(jwks === undefined ? {} : { jwksUrl: jwks }),
    ...(keys === undefined ? {} : { keys: await keysIn(keys) }),
    ...(algorithms === undefined ? {} : { algorithms }),
    ...(typ === undefined ? {} : { typ }),
    ...(clockSkew === undefined ? {} : { clockSkew }),
    ...(longestLife === undefined ? {} : { longestLife }),
    ...(principal === undefined ? {} : { principal }),
    ...(grants === undefined ? {} : { grants }),
    ...(requireBound === undefined ? {} : { requireBound }),
  };
}

function introspectionOf({ introspect, clientId, clientSecret, clientKey, cache }: IssuerFlags) {
  if (typeof introspect !== 'string') {
    if (clientId ?? clientSecret ?? clientKey ?? cache) {
      throw new UsageError('How the issuer is asked was named without where.', 'Add --introspect URL.');
    }
    return undefined;
  }
  if (clientId === undefined) {
    throw new UsageError('The issuer is to be asked, and it is not said as whom.', 'Add --client-id ID.');
  }
  return {
    url: introspect,
    clientId,
    ...(clientSecret === undefined ? {} : { secretFile: clientSecret }),
    ...(clientKey === undefined ? {} : { keyFile: clientKey }),
    ...(cache === undefined ? {} : { cache }),
  };
}

async function keysIn(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new UsageError(
      `${path} cannot be read: ${(cause as Error).message}`,
      'Name a file with a JWK set or a public key.',
    );
  }
}

function listOption(text: string): readonly string[] {
  return text.split(',').map((name) => name.trim());
}

function secondsOption(text: string): number {
  const milliseconds = durationOption(text);
  if (milliseconds % 1000 !== 0) throw new InvalidArgumentError('Write whole seconds, such as 30s or 5m.');
  return milliseconds / 1000;
}
