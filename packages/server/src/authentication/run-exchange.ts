import type { Evidence, Grounds, Verdict } from './authenticator.ts';
import type { Exchange } from './exchange.ts';
import type { ExchangeMethod } from './exchange-method.ts';
import { rejected } from './verdicts.ts';

/** Challenges of one exchange; no method needs as many. */
const MOST_CHALLENGES = 8;

/** Leads an exchange to its verdict. */
export async function runExchange(
  method: ExchangeMethod,
  exchange: Exchange,
  evidence: Evidence,
  grounds?: Grounds,
): Promise<Verdict> {
  let step = await method.begin(evidence, exchange.data, grounds);
  for (let challenges = 1; step.outcome === 'continue'; challenges++) {
    if (challenges > MOST_CHALLENGES) {
      return rejected('exchange_broken_off', `${method.name} took more than ${MOST_CHALLENGES} challenges.`);
    }
    const answer = await exchange.ask(step.data, method.patience);
    if (answer === undefined) {
      return rejected('exchange_broken_off', `The client did not answer challenge ${challenges} of ${method.name}.`);
    }
    step = await step.next(answer.data);
  }
  if (step.outcome === 'rejected') return step;
  const { data, ...verdict } = step;
  if (data !== undefined) exchange.conclude(data);
  return verdict;
}

/** The refusal of a method that is not offered, with those that are. */
export function unknownMethod(name: string, methods: readonly ExchangeMethod[]): Verdict {
  const offered = methods.map((method) => method.name).join(', ') || 'none';
  return rejected(
    'unsupported_authentication_method',
    'The client asked for an authentication method that is not offered.',
    {
      compared: { what: 'authentication method', found: JSON.stringify(name.slice(0, 64)), expected: offered },
      cure: `Offered are: ${offered}. Or connect without a method and send user name and password.`,
    },
  );
}
