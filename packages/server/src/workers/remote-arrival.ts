import type { Exchange } from '../authentication/exchange.ts';
import type { Authorizer } from '../authorization/authorizer.ts';
import type { Arrival, ArrivalVerdict, Arrive } from '../broker/arrival.ts';
import { assuranceOf } from '../broker/arrive.ts';
import type { ArrivalQuestion, OfficeCalls, WorkerCalls } from './calls.ts';
import type { Line } from './line.ts';

/** The doors of a worker: the office says who may come in and on what grounds, and the rights are built here from them. */
export interface RemoteArrival extends Pick<WorkerCalls, 'challenge' | 'conclude'> {
  readonly arrive: Arrive;
}

export function remoteArrival(office: Line<OfficeCalls, WorkerCalls>, authorizer: Authorizer): RemoteArrival {
  const exchanges = new Map<number, Exchange>();
  let last = 0;

  async function arrive({ evidence, ...rest }: Arrival): Promise<ArrivalVerdict> {
    const { exchange, ...shown } = evidence;
    const question: ArrivalQuestion = { ...rest, evidence: shown };
    if (exchange === undefined) return admit(shown, await office.ask('arrive', question));
    const number = ++last;
    exchanges.set(number, exchange);
    const { method, data, renewal } = exchange;
    try {
      const told = { number, method, renewal, ...(data === undefined ? {} : { data }) };
      return await admit(shown, await office.ask('arrive', { ...question, exchange: told }));
    } finally {
      exchanges.delete(number);
    }
  }

  async function admit(
    { transport }: ArrivalQuestion['evidence'],
    answer: Awaited<ReturnType<OfficeCalls['arrive']>>,
  ): Promise<ArrivalVerdict> {
    if (answer.outcome === 'refused') return answer;
    const { session, steps, rightsOf, owes } = answer;
    await authorizer.load(session.organisation);
    const door = authorizer.open({
      grounds: session.grounds,
      clientId: rightsOf,
      transport,
      arrival: steps,
      ...(owes && { owes }),
    });
    return { outcome: 'admitted', session: { ...session, ...assuranceOf(door) } };
  }

  return {
    arrive,
    challenge: async (number, data, patience) => exchanges.get(number)?.ask(data, patience),
    conclude: (number, data) => exchanges.get(number)?.conclude(data),
  };
}
