import { Failure, principalName, type UnlockStatus } from '@sallyport/model';
import type { Evidence, Grounds } from './authenticator.ts';
import type { ExchangeMethod, ExchangeStep } from './exchange-method.ts';
import type { UnlockDesk } from './unlock-desk.ts';
import { codeIn, jsonObject } from './unlock-message.ts';
import type { UnlockSession } from './unlock-session.ts';
import { rejected } from './verdicts.ts';

/** Name of the authentication method by which a device gives its one-time code before CONNACK. */
const ONE_TIME_CODE_METHOD = 'ONE-TIME-CODE';

export interface UnlockExchangeOptions {
  readonly desk: Pick<UnlockDesk, 'opened' | 'request' | 'respond'>;
  /** Whether a code is owed. */
  readonly owes: (principal: Grounds['principal']) => object | undefined | Promise<object | undefined>;
  /** Milliseconds that one exchange may take. */
  readonly patience: number;
}

/**
 * The one-time code as an exchange of AUTH packets (MQTT 5 section 4.12), for clients that have proven who they are: each challenge is a
 * status of the unlock topics, each answer `{"code":"123456"}`, or anything else to ask for another code.
 */
export function unlockExchange({ desk, owes, patience }: UnlockExchangeOptions): ExchangeMethod {
  // Numbers of exchanges are below those of connections: a code of the one is none of the other.
  let last = 0;

  async function step(session: UnlockSession, grounds: Grounds, ask: Ask): Promise<ExchangeStep> {
    let status: UnlockStatus | undefined;
    await ask((told) => {
      status = told;
    });
    if (status === undefined) throw new Failure('internal', 'An exchange of a one-time code had no outcome.');
    if (status.status === 'unlocked') return passed(grounds, 'The one-time code was right.');
    if (status.status === 'failed') {
      return rejected('unlock_failed', 'Wrong one-time codes were given until no try was left.');
    }
    return {
      outcome: 'continue',
      data: Buffer.from(JSON.stringify(status)),
      next: (data) => {
        const given = codeIn(jsonObject(data ?? new Uint8Array()).code);
        return step(session, grounds, (answer) =>
          given === '' ? desk.request(session, answer) : desk.respond(session, given, answer),
        );
      },
    };
  }

  return {
    name: ONE_TIME_CODE_METHOD,
    kind: 'presence',
    patience,
    async begin({ clientId, transport }: Evidence, _data, grounds): Promise<ExchangeStep> {
      if (grounds === undefined) return rejected('missing_credential', 'A one-time code proves nobody by itself.');
      const { principal } = grounds;
      if (principal.kind === 'operator' || (await owes(principal)) === undefined) {
        return passed(grounds, 'No one-time code is asked of the client.');
      }
      const session: UnlockSession = {
        organisation: principal.organisation,
        clientId: clientId.text,
        presence: --last,
        principal: principalName(principal),
        address: transport.remoteAddress,
      };
      desk.opened(session, patience);
      return step(session, grounds, (answer) => desk.request(session, answer));
    },
  };
}

type Ask = (answer: (status: UnlockStatus) => void) => Promise<void>;

function passed(grounds: Grounds, text: string): ExchangeStep {
  return { outcome: 'accepted', grounds, step: { stage: 'authentication', outcome: 'passed', text } };
}
