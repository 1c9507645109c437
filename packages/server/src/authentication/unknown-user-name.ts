import { principalName } from '@sallyport/model';
import type { Evidence, Verdict } from './authenticator.ts';
import { TOKEN_USER_NAME } from './device-token.ts';
import type { Find, TokenMatcher } from './known-principal.ts';
import { rejected } from './verdicts.ts';

/** The refusal of a user name that nobody has, with the most likely mistake as its cure. */
export async function unknownUserName(
  { clientId }: Evidence,
  username: string,
  { findPrincipal, tokens }: { readonly findPrincipal: Find; readonly tokens: TokenMatcher },
): Promise<Verdict> {
  const found = printable(username);
  if (clientId.kind === 'plain') {
    return rejected('unknown_identity', 'No such user name is registered.', {
      compared: { what: 'user name', found, expected: 'a registered user name or an application key' },
    });
  }
  const expected = clientId.kind === 'application' ? `a-${clientId.organisation}-…` : TOKEN_USER_NAME;
  const claimed =
    clientId.kind === 'application'
      ? ({ kind: 'application', organisation: clientId.organisation, id: clientId.id } as const)
      : ({ kind: clientId.kind, organisation: clientId.organisation, type: clientId.type, id: clientId.id } as const);
  const known = await findPrincipal(principalName(claimed));
  // A token that was put into the user name is a secret: it is recognised so that it is never shown.
  if (known?.credentials.some((c) => c.kind === 'token' && tokens.matches(username, c.hash as Uint8Array))) {
    return rejected('wrong_user_name', 'The token was sent as the user name.', {
      compared: { what: 'user name', found: 'the token', expected },
      cure: `User name and password are swapped: the user name is ${expected}, the password is the token.`,
    });
  }
  const who = clientId.kind === 'application' ? 'applications use their key,' : 'devices and gateways with a token use';
  return rejected('wrong_user_name', `No such user name; ${who} ${expected}.`, {
    compared: { what: 'user name', found, expected },
    cure: `The user name was \`${found}\`; ${clientId.kind === 'application' ? 'applications' : 'devices'} use \`${expected}\`.`,
  });
}

/** Mistaken forms of the literal user name, such as `use-auth-token`. */
const RESEMBLING = /^(?=.{1,20}$)[a-z]*[-_ ]?(?:auth|token)[-_ ]?[a-z]*$/i;
const SHORTEST_SECRET = 8;

/** What resembles the right name is shown, as it is the mistake; anything else may be a secret that was put into the wrong field. */
function printable(text: string): string {
  if (RESEMBLING.test(text)) return text;
  const clean = text.replace(/[^\x20-\x7e]/g, '?');
  return clean.length < SHORTEST_SECRET ? clean : `${clean.slice(0, 2)}… (${clean.length} characters)`;
}
