import type { Refusal, RefusalReason, TraceStep } from '@sallyport/model';
import { MOST_WORKERS } from '../bus/exchange.ts';
import type { Reading } from '../events/reading.ts';
import type { Presence } from './attend.ts';
import type { ServerMessage } from './server-message.ts';
import type { SessionMatch, SessionView } from './session-view.ts';
import type { Team } from './team.ts';
import type { Here } from './team-desk.ts';
import type { Question } from './team-words.ts';

type Rates = { readonly messageRate?: number; readonly byteRate?: number };

/** The broker as the rest of the server sees it: of all workers together. */
export interface BrokerApi {
  /** Resolves when the matching sessions of all workers have been judged anew. */
  reconsider(match: SessionMatch): Promise<void>;
  /** What a principal may send from now on, over all its connections. */
  setRates(principal: string, rates: Rates): void;
  /** Closes the matching sessions and forgets them; answers how many. Their wills are not sent. */
  closeSessions(match: SessionMatch, reasonCode: number, text: string): Promise<number>;
  /** Sessions of an organisation in the order of their client ids, after `after`; at most 1000 at a time. */
  listSessions(
    organisation: string,
    page?: { readonly after?: string; readonly limit?: number },
  ): Promise<SessionView[]>;
  findSession(organisation: string, clientId: string): Promise<SessionView | undefined>;
  /** Connected sessions, of one organisation or of all. */
  countSessions(organisation?: string): Promise<number>;
  /** What each connection has sent so far. */
  readings(): Promise<readonly Reading[]>;
  /** Whether somebody who is connected would get a message of this topic. */
  reaches(organisation: string, topic: string): Promise<boolean>;
  /** Gives a pending session all its rights. False if it is gone, or not pending. At once where the session is in this worker. */
  raise(at: Presence): boolean | Promise<boolean>;
  /** Sends a message of the server to this one session, if it is subscribed. */
  tell(at: Presence, message: ServerMessage): void;
  /** Ends this one session for what its client did in it. */
  dismiss(
    at: Presence,
    reason: RefusalReason,
    step: TraceStep,
    cure?: string,
  ): Refusal | undefined | Promise<Refusal | undefined>;
  /** Sends a message of the server itself to whoever is subscribed in the organisation. */
  publish(organisation: string, message: ServerMessage): void;
}

/** The brokers of all workers as one. What a worker that ends in the midst of a question would have answered is left out. */
export function wholeServer(here: Here & Pick<BrokerApi, 'publish'>, team: Team | undefined): BrokerApi {
  const askAll = async <T>(question: Question): Promise<T[]> => {
    const answers = (await team?.askAll(question)) ?? [];
    return answers.filter((answer) => answer !== undefined && answer !== null && !isFailure(answer)) as T[];
  };
  /** The worker of a session that is not in this one. */
  const workerOf = ({ presence }: Presence): number | undefined => {
    const worker = presence % MOST_WORKERS;
    return team === undefined || worker === team.self ? undefined : worker;
  };

  return {
    async reconsider(match) {
      await Promise.all([here.reconsider(match), askAll({ do: 'reconsider', match })]);
    },
    setRates(principal, rates) {
      here.setRates(principal, rates);
      team?.sayAll({ say: 'rates', principal, ...rates });
    },
    async closeSessions(match, reasonCode, text) {
      const own = here.closeSessions(match, reasonCode, text);
      const others = await askAll<number>({ do: 'close', match, reasonCode, text });
      return others.reduce((sum, count) => sum + count, own);
    },
    async listSessions(organisation, page = {}) {
      const limit = Math.min(page.limit ?? 100, 1000);
      const own = here.listSessions(organisation, page);
      const others = await askAll<SessionView[]>({ do: 'list', organisation, ...page });
      if (others.length === 0) return own;
      const all = [...own, ...others.flat()];
      return all.sort((a, b) => (a.clientId < b.clientId ? -1 : 1)).slice(0, limit);
    },
    async findSession(organisation, clientId) {
      const own = here.findSession(organisation, clientId);
      return own ?? (await askAll<SessionView>({ do: 'find', organisation, clientId }))[0];
    },
    async countSessions(organisation) {
      const question = { do: 'count', ...(organisation === undefined ? {} : { organisation }) } as const;
      return (await askAll<number>(question)).reduce((sum, count) => sum + count, here.countSessions(organisation));
    },
    async readings() {
      return [...here.readings(), ...(await askAll<Reading[]>({ do: 'readings' })).flat()];
    },
    async reaches(organisation, topic) {
      return here.reaches(organisation, topic) || (await askAll({ do: 'reach', organisation, topic })).includes(true);
    },
    raise(at) {
      const worker = workerOf(at);
      if (worker === undefined) return here.raise(at);
      return (team?.ask(worker, { do: 'raise', at }) ?? Promise.resolve(false)).then((answer) => answer === true);
    },
    tell(at, message) {
      const worker = workerOf(at);
      const { payload } = message;
      if (worker === undefined) here.tell(at, message);
      else team?.say(worker, { say: 'tell', at, message: { ...message, payload: Buffer.from(payload).toString() } });
    },
    dismiss(at, reason, step, cure) {
      const worker = workerOf(at);
      if (worker === undefined) return here.dismiss(at, reason, step, cure);
      const question = { do: 'dismiss', at, reason, step, ...(cure === undefined ? {} : { cure }) } as const;
      const answer = team?.ask(worker, question) ?? Promise.resolve(undefined);
      return answer.then((refusal) =>
        isFailure(refusal) ? undefined : ((refusal ?? undefined) as Refusal | undefined),
      );
    },
    publish: (organisation, message) => here.publish(organisation, message),
  };
}

function isFailure(answer: unknown): boolean {
  return typeof answer === 'object' && answer !== null && 'failed' in answer;
}
