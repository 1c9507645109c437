import { Failure, principalName } from '@sallyport/model';
import type { Authenticator, Evidence, Verdict } from './authenticator.ts';
import type { Find } from './known-principal.ts';
import { suspension } from './standing.ts';
import { abstained, accepted, rejected } from './verdicts.ts';

export interface DirectoryUsers {
  /** Written form of the principal that a user's name stands for; undefined if it stands for none. */
  readonly principalOf: (username: string) => string | undefined;
  /**
   * The name of the user whose password this is, as the directory has it; undefined if it is not his, or there is no such user. Rejects
   * with `directory_unavailable`.
   */
  readonly proves: (username: string, password: string) => Promise<string | undefined>;
  /** How long a login counts; milliseconds. */
  readonly lifetime: number;
}

export interface DirectoryBindOptions {
  /** The directory of an organisation, if it has one for logins. */
  readonly usersOf: (organisation: string) => DirectoryUsers | undefined;
  readonly findPrincipal: Find;
  readonly now: () => number;
}

const LONGEST = 256;

/**
 * User name and password, judged by the directory of the organisation that the client id names. Whom the user name stands for
 * says the configuration; that principal must be registered. The password goes to the directory and nowhere else.
 */
export function directoryBindAuthenticator({ usersOf, findPrincipal, now }: DirectoryBindOptions): Authenticator {
  return {
    name: 'directory',
    async authenticate({ clientId, username, password }: Evidence): Promise<Verdict> {
      const users = clientId.kind === 'plain' ? undefined : usersOf(clientId.organisation);
      if (!users) return abstained('The client id names no organisation that has a directory for logins.');
      if (username === undefined || password === undefined) return abstained('There is no user name with a password.');
      if (password.length === 0) {
        return rejected('missing_credential', 'The password was empty, which a directory takes for nobody.', {
          cure: 'Send the password that the user has in the directory.',
        });
      }
      const text = decoded(password);
      if (text === undefined || username.length > LONGEST || text.length > LONGEST) {
        return rejected('wrong_secret', 'User name or password is too long, or the password is not UTF-8.');
      }
      let proven: string | undefined;
      try {
        proven = await users.proves(username, text);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        return rejected('directory_unavailable', error.message, { cure: error.cure });
      }
      if (proven === undefined) {
        return rejected('wrong_secret', 'The directory does not know this user name with this password.', {
          cure: 'Try the same user name and password with another program that asks the directory.',
        });
      }
      const name = users.principalOf(proven);
      const known = name === undefined ? undefined : await findPrincipal(name);
      if (!known) {
        return rejected(
          'unknown_identity',
          `The directory knows the user; ${name ?? 'what he stands for'} is not registered.`,
          {
            cure: 'Register it, or correct the principal under directory.users of the organisation in the configuration.',
          },
        );
      }
      const fallen = suspension(known);
      if (fallen) return rejected(fallen.reason, fallen.text, { cure: fallen.cure });
      return accepted(
        {
          principal: known.principal,
          credential: 'directory',
          credentialKind: 'directory',
          roles: known.roles,
          expiresAt: now() + users.lifetime,
        },
        {
          stage: 'authentication',
          outcome: 'passed',
          text: `The directory knows the user name with this password (${principalName(known.principal)}).`,
        },
      );
    },
  };
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
