import { type DevicePrincipal, principalName } from '@sallyport/model';
import type { Authenticator, Evidence, Verdict } from './authenticator.ts';
import { judgeNobody, judgeToken } from './judge-token.ts';
import type { Find, TokenMatcher } from './known-principal.ts';
import { abstained, rejected } from './verdicts.ts';
import { whenReady } from './when-ready.ts';

/** The literal user name that devices and gateways of the Watson IoT Platform send with their token. */
export const TOKEN_USER_NAME = 'use-token-auth';

export interface DeviceTokenOptions {
  readonly findPrincipal: Find;
  readonly tokens: TokenMatcher;
  readonly now: () => number;
}

/** Devices and gateways: who they are stands in the client id, the proof is a token in the password field. */
export function deviceTokenAuthenticator({ findPrincipal, tokens, now }: DeviceTokenOptions): Authenticator {
  return {
    name: 'device-token',
    authenticate({ clientId, username, password }: Evidence): Verdict | Promise<Verdict> {
      if (username !== TOKEN_USER_NAME) return abstained(`The user name is not "${TOKEN_USER_NAME}".`);
      if (clientId.kind !== 'device' && clientId.kind !== 'gateway') {
        return rejected(
          'wrong_user_name',
          `The user name "${TOKEN_USER_NAME}" goes with a device's or gateway's client id.`,
          {
            compared: {
              what: 'client id',
              found: clientId.text,
              expected: 'd:ORGANISATION:TYPE:ID or g:ORGANISATION:TYPE:ID',
            },
            cure: 'Set the client id to that of the device; applications use their key (a-ORGANISATION-…) as user name.',
          },
        );
      }
      if (password === undefined || password.length === 0) {
        return rejected('missing_credential', `The user name was "${TOKEN_USER_NAME}" and the password was empty.`, {
          cure: 'Send the token of the device as password.',
        });
      }
      const claimed: DevicePrincipal = {
        kind: clientId.kind,
        organisation: clientId.organisation,
        type: clientId.type,
        id: clientId.id,
      };
      return whenReady(findPrincipal(principalName(claimed)), (known) => {
        if (known) return judgeToken(known, password, tokens, now());
        judgeNobody(password, tokens);
        return whenReady(findPrincipal(principalName(otherKind(claimed))), (other) =>
          unknownDevice(claimed, other !== undefined),
        );
      });
    },
  };
}

function otherKind(claimed: DevicePrincipal): DevicePrincipal {
  return { ...claimed, kind: claimed.kind === 'device' ? 'gateway' : 'device' };
}

function unknownDevice(claimed: DevicePrincipal, existsAsOther: boolean): Verdict {
  const name = principalName(claimed);
  if (existsAsOther) {
    const prefix = claimed.kind === 'device' ? 'g:' : 'd:';
    return rejected(
      'unknown_identity',
      `${name} is not registered; it is registered as a ${otherKind(claimed).kind}.`,
      {
        compared: { what: 'client id class', found: claimed.kind === 'device' ? 'd:' : 'g:', expected: prefix },
        cure: `Begin the client id with ${prefix}.`,
      },
    );
  }
  return rejected('unknown_identity', `No ${name} is registered.`, {
    cure: `Register it with \`sallyport ${claimed.kind} add ${claimed.type}/${claimed.id} --org ${claimed.organisation}\`, or correct the client id; ids are case-sensitive.`,
  });
}
