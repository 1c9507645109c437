import { readFile } from 'node:fs/promises';
import type { ApplicationName } from '@sallyport/application/management';
import { type ClientKeyDocument, Failure, type OauthKeyDocument, type RevokedTokenDocument } from '@sallyport/model';
import { Command } from 'commander';
import { type Administration, administers } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample, withOrganisation } from '../options.ts';
import { principalNamed } from '../principal-named.ts';
import { applicationReference } from '../thing-names.ts';

const LARGEST_KEY = 8192;
/** What sessions show before the id of a token of the embedded authorization server. */
const SHOWN_TOKEN = 'builtin:authorization-server/';
const EXAMPLE_KEY = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';

const KEY_COLUMNS = [
  { heading: 'id', value: (row: ClientKeyDocument) => row.kid },
  { heading: 'algorithm', value: (row: ClientKeyDocument) => row.algorithm },
  { heading: 'added', value: (row: ClientKeyDocument) => `${row.createdAt} by ${row.createdBy}` },
];
const SIGNING_COLUMNS = [
  { heading: 'id', value: (row: OauthKeyDocument) => row.kid },
  { heading: 'state', value: (row: OauthKeyDocument) => row.state },
  { heading: 'signs from', value: (row: OauthKeyDocument) => row.signsFrom },
];

const REVOKED_COLUMNS = [
  { heading: 'what', value: (row: RevokedTokenDocument) => row.what },
  { heading: 'name', value: (row: RevokedTokenDocument) => row.name },
  { heading: 'revoked', value: (row: RevokedTokenDocument) => `${row.revokedAt} by ${row.revokedBy}` },
  { heading: 'forgotten', value: (row: RevokedTokenDocument) => row.endsAt },
];

/** The embedded authorization server: its keys, its clients' keys, and devices that wait for their owner. */
export function oauthCommand(surroundings: Surroundings): Command {
  const command = new Command('oauth').description('The embedded authorization server of an organisation');
  withExample(
    withOrganisation(command.command('show')).description('Show issuer, audience and approval page'),
    'sallyport oauth show',
  ).action(
    administers(surroundings, async ({ management, output, organisation }) => {
      const { keys: _, ...document } = await management.oauth.get(await organisation());
      output.document(document);
    }),
  );
  withExample(
    withOrganisation(command.command('signing-keys')).description('Show the keys that sign access tokens'),
    'sallyport oauth signing-keys',
  ).action(
    administers(surroundings, async ({ management, output, organisation }) => {
      output.list((await management.oauth.get(await organisation())).keys, SIGNING_COLUMNS);
    }),
  );
  withExample(
    withOrganisation(command.command('rotate-keys'))
      .description('Have a new key sign access tokens, after the overlap of the configuration')
      .option('--at-once', 'withdraw the old keys at once, because somebody may know them; their tokens are worthless'),
    'sallyport oauth rotate-keys',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, { atOnce }: { atOnce?: boolean }) => {
      const change = atOnce === true ? { atOnce } : {};
      output.list((await management.oauth.rotateKeys(await organisation(), change)).keys, SIGNING_COLUMNS);
    }),
  );
  clientKeyCommands(command, surroundings);
  tokenCommands(command, surroundings);
  deviceCommands(command, surroundings);
  return command;
}

function clientKeyCommands(command: Command, surroundings: Surroundings): void {
  withExample(
    withOrganisation(command.command('add-key <application>'))
      .description('Let an application prove itself by a signature (private_key_jwt)')
      .requiredOption('--public-key <file>', 'PEM file of its public key: P-256 or Ed25519'),
    'sallyport oauth add-key desk --public-key desk-public.pem',
  ).action(
    administers(surroundings, async (administration, text: string, { publicKey }: { publicKey: string }) => {
      const { management, output } = administration;
      const name = await named(administration, text);
      output.document(await management.oauth.addClientKey(name, await keyFile(publicKey)));
    }),
  );
  withExample(
    withOrganisation(command.command('list-keys <application>')).description('Show the public keys of an application'),
    'sallyport oauth list-keys desk',
  ).action(
    administers(surroundings, async (administration, text: string) => {
      const { items } = await administration.management.oauth.clientKeys(await named(administration, text));
      administration.output.list(items, KEY_COLUMNS);
    }),
  );
  withExample(
    withOrganisation(command.command('remove-key <application> <key>')).description(
      'Take a public key of an application away',
    ),
    `sallyport oauth remove-key desk ${EXAMPLE_KEY}`,
  ).action(
    administers(surroundings, async (administration, text: string, kid: string) => {
      await administration.management.oauth.removeClientKey(await named(administration, text), kid);
      administration.output.text(`Removed key ${kid}.`, { removed: kid });
    }),
  );
}

function tokenCommands(command: Command, surroundings: Surroundings): void {
  withExample(
    withOrganisation(command.command('revoke-token <token>')).description(
      'Revoke a signed access token by its id (jti), or all tokens of a principal (application:ID or TYPE/ID)',
    ),
    'sallyport oauth revoke-token application:desk',
  ).action(
    administers(surroundings, async (administration, text: string) => {
      const { management, output } = administration;
      const jti = text.startsWith(SHOWN_TOKEN) ? text.slice(SHOWN_TOKEN.length) : text;
      if (!/[:/]/.test(jti)) {
        output.document(await management.oauth.revokeToken(await administration.organisation(), { jti }));
        return;
      }
      const { organisation, principal } = await principalNamed(administration, text);
      output.document(await management.oauth.revokeToken(organisation, { principal }));
    }),
  );
  withExample(
    withOrganisation(command.command('revoked-tokens')).description(
      'Show signed access tokens that were revoked and have not expired',
    ),
    'sallyport oauth revoked-tokens',
  ).action(
    administers(surroundings, async ({ management, output, organisation }) => {
      output.list((await management.oauth.revokedTokens(await organisation())).items, REVOKED_COLUMNS);
    }),
  );
}

function deviceCommands(command: Command, surroundings: Surroundings): void {
  withExample(
    withOrganisation(command.command('request <code>')).description('Show what the device with this code asks for'),
    'sallyport oauth request BCDF-GHJK',
  ).action(
    administers(surroundings, async ({ management, output, organisation }, code: string) => {
      output.document(await management.oauth.deviceRequest(await organisation(), code));
    }),
  );
  for (const [verb, approve, description] of [
    ['approve', true, 'Let the device that shows this code have what it asks for'],
    ['deny', false, 'Do not let the device that shows this code have what it asks for'],
  ] as const) {
    withExample(
      withOrganisation(command.command(`${verb} <code>`)).description(description),
      `sallyport oauth ${verb} BCDF-GHJK`,
    ).action(
      administers(surroundings, async ({ management, output, organisation }, code: string) => {
        const { principal } = await management.oauth.decide(await organisation(), code, { approve });
        output.text(`${approve ? 'Approved' : 'Denied'} ${principal}.`, { principal, approved: approve });
      }),
    );
  }
}

async function named(administration: Administration, text: string): Promise<ApplicationName> {
  const { organisation, id } = applicationReference(text);
  return { organisation: await administration.organisation(organisation), id };
}

async function keyFile(file: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    throw new Failure('invalid_request', `The file ${file} cannot be read.`, {
      cause,
      cure: 'Check the path and its permissions.',
    });
  }
  if (text.length > LARGEST_KEY) throw new Failure('invalid_request', `The file ${file} is too large for a key.`);
  if (text.includes('PRIVATE KEY-----')) {
    throw new Failure('invalid_request', `The file ${file} holds a private key, which nobody should be sent.`, {
      cure: `Make the file of the public key: openssl pkey -in ${file} -pubout`,
    });
  }
  return text;
}
