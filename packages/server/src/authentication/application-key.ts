import type { Authenticator, Evidence, Verdict } from './authenticator.ts';
import { judgeNobody, judgeToken } from './judge-token.ts';
import type { Find, TokenMatcher } from './known-principal.ts';
import { abstained, rejected } from './verdicts.ts';
import { whenReady } from './when-ready.ts';

/** Application keys have the form a-ORGANISATION-RANDOM. */
const KEY_FORM = /^a-[^-]+-[^-]+$/;

export interface ApplicationKeyOptions {
  readonly findByKey: Find;
  readonly tokens: TokenMatcher;
  readonly now: () => number;
}

/** Applications: the user name is the application's key, the password its token. */
export function applicationKeyAuthenticator({ findByKey, tokens, now }: ApplicationKeyOptions): Authenticator {
  return {
    name: 'application-key',
    authenticate({ username, password }: Evidence): Verdict | Promise<Verdict> {
      if (username === undefined || !KEY_FORM.test(username)) {
        return abstained('The user name is not an application key (a-ORGANISATION-…).');
      }
      if (password === undefined || password.length === 0) {
        return rejected('missing_credential', `The user name was the key ${username} and the password was empty.`, {
          cure: 'Send the token that belongs to the key as password.',
        });
      }
      return whenReady(findByKey(username), (known) => {
        if (known) return judgeToken(known, password, tokens, now());
        judgeNobody(password, tokens);
        return rejected('unknown_identity', `No application has the key ${username}.`, {
          compared: { what: 'user name', found: username, expected: 'the key of a registered application' },
          cure: 'Compare the key with `sallyport application list`; a removed application takes its key with it.',
        });
      });
    },
  };
}
