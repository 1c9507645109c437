import type { Management } from '@sallyport/application/management';
import type { CredentialDocument, IssuedCredential, Page } from '@sallyport/model';
import type { Command } from 'commander';
import { type Administration, administers } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { withExample } from '../options.ts';
import { chosenPassword, chosenSecret, type SecretOptions, withSecretOptions } from '../secret-input.ts';
import { showOnce, withSaveToken } from '../shown-once.ts';

/** A noun that holds credentials; `N` names one of it in the API. */
export interface HolderOptions<N> {
  readonly noun: string;
  readonly argument: string;
  readonly example: string;
  /** Operators' tokens are always generated. */
  readonly mayChoose: boolean;
  /** Adds the options that are needed to name one of it. */
  readonly naming?: (command: Command) => Command;
  calls(management: Management): {
    list(name: N): Promise<Page<CredentialDocument>>;
    issue(
      name: N,
      body: {
        readonly token?: string;
        readonly password?: { readonly username: string; readonly password: string; readonly scram?: boolean };
        readonly expiresIn?: string;
      },
    ): Promise<IssuedCredential>;
    revoke(name: N, credential: string): Promise<CredentialDocument>;
  };
  named(administration: Administration, text: string): Promise<N>;
}

interface TokenOptions extends SecretOptions {
  readonly expiresIn?: string;
  readonly revokeOthers?: boolean;
  readonly saveToken?: string;
}

const COLUMNS = [
  { heading: 'id', value: (row: CredentialDocument) => row.id },
  { heading: 'kind', value: (row: CredentialDocument) => row.kind },
  { heading: 'user name', value: (row: CredentialDocument) => row.username },
  { heading: 'created', value: (row: CredentialDocument) => `${row.createdAt} by ${row.createdBy}` },
  { heading: 'expires', value: (row: CredentialDocument) => row.expiresAt ?? 'never' },
  {
    heading: 'revoked',
    value: ({ revokedAt, revokedBy }: CredentialDocument) =>
      revokedAt === undefined ? undefined : `${revokedAt} by ${revokedBy ?? 'unknown'}`,
  },
];

interface PasswordOptions {
  readonly username: string;
  readonly scram?: boolean;
  readonly passwordFile?: string;
  readonly expiresIn?: string;
}

/** Adds `token` and `credential list | add | revoke`. */
export function credentialCommands<N>(command: Command, surroundings: Surroundings, options: HolderOptions<N>): void {
  const { noun, argument, example, calls, named, mayChoose, naming = (sub) => sub } = options;
  const token = naming(command.command(`token <${argument}>`))
    .description(`Issue a new token to the ${noun}; the ones before stay valid unless you say otherwise`)
    .option('--expires-in <time>', 'end of its life, for example 90d; never if left out')
    .option('--revoke-others', 'revoke every other credential once the new one is issued');
  withSaveToken(mayChoose ? withSecretOptions(token) : token);
  withExample(token, `sallyport ${command.name()} token ${example} --revoke-others`).action(
    administers(surroundings, async (administration, text: string, given: TokenOptions) => {
      const { management, output, terminal } = administration;
      const name = await named(administration, text);
      const chosen = await chosenSecret(given, terminal);
      const issued = await calls(management).issue(name, {
        ...(chosen !== undefined && { token: chosen }),
        ...(given.expiresIn !== undefined && { expiresIn: given.expiresIn }),
      });
      if (given.revokeOthers) {
        const { items } = await calls(management).list(name);
        const others = items.filter(({ id, revokedAt }) => id !== issued.credential.id && revokedAt === undefined);
        for (const { id } of others) await calls(management).revoke(name, id);
        output.note(`Revoked ${others.length} other ${others.length === 1 ? 'credential' : 'credentials'}.`);
      }
      await showOnce(output, issued.credential, chosen === undefined ? issued.token : undefined, given.saveToken);
    }),
  );

  const credential = command.command('credential').description(`Credentials of the ${noun}`);
  withExample(
    naming(credential.command(`list <${argument}>`)).description('Show all, the ended ones too, never their secrets'),
    `sallyport ${command.name()} credential list ${example}`,
  ).action(
    administers(surroundings, async (administration, text: string) => {
      const { items } = await calls(administration.management).list(await named(administration, text));
      administration.output.list(items, COLUMNS);
    }),
  );
  if (mayChoose) {
    withExample(
      naming(credential.command(`add <${argument}>`))
        .description('Let it log in with a chosen user name and password; the credentials before stay valid')
        .requiredOption('--username <name>', 'user name; unique on the server')
        .option('--scram', 'for the MQTT 5 methods SCRAM-SHA-256 and SCRAM-SHA-512 alone: the password is never sent')
        .option('--password-file <file>', 'the password is in this file; read from standard input if left out')
        .option('--expires-in <time>', 'end of its life, for example 90d; never if left out'),
      `sallyport ${command.name()} credential add ${example} --username alice --password-file alice.password`,
    ).action(
      administers(surroundings, async (administration, text: string, given: PasswordOptions) => {
        const { management, output, terminal } = administration;
        const name = await named(administration, text);
        const password = await chosenPassword(given.passwordFile, terminal);
        const { username, scram, expiresIn } = given;
        const issued = await calls(management).issue(name, {
          password: { username, password, ...(scram === true && { scram }) },
          ...(expiresIn !== undefined && { expiresIn }),
        });
        output.document(issued.credential);
      }),
    );
  }
  withExample(
    naming(credential.command(`revoke <${argument}> <credential>`)).description(
      'Revoke one; sessions that stand on it end',
    ),
    `sallyport ${command.name()} credential revoke ${example} CREDENTIAL`,
  ).action(
    administers(surroundings, async (administration, text: string, id: string) => {
      const name = await named(administration, text);
      administration.output.document(await calls(administration.management).revoke(name, id));
    }),
  );
}
