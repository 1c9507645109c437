import type { Refusal, RefusalReason, TraceStep } from '@sallyport/model';
import type { Reading } from '../events/reading.ts';
import type { Presence } from './attend.ts';
import { farBook, ownBook } from './books.ts';
import { ClaimBook } from './claim-book.ts';
import type { ClaimLimits, ClaimRequest } from './claim-request.ts';
import type { BrokerContext } from './context.ts';
import { readMoved } from './move-in.ts';
import { MovingOut } from './move-out.ts';
import type { ServerMessage } from './server-message.ts';
import type { SessionMatch, SessionView } from './session-view.ts';
import { withBytes } from './stored-session.ts';
import { OFFICE, type Team } from './team.ts';
import { TeamCounts, useShares } from './team-counts.ts';
import type { FrameBody } from './team-frames.ts';
import type { Member } from './team-member.ts';
import type { Question, Word } from './team-words.ts';

/** What this worker's broker does for the others, with its own sessions. */
export interface Here {
  reconsider(match: SessionMatch): Promise<void>;
  closeSessions(match: SessionMatch, reasonCode: number, text: string): number;
  setRates(principal: string, rates: { readonly messageRate?: number; readonly byteRate?: number }): void;
  listSessions(organisation: string, page?: { readonly after?: string; readonly limit?: number }): SessionView[];
  findSession(organisation: string, clientId: string): SessionView | undefined;
  countSessions(organisation?: string): number;
  readings(): Iterable<Reading>;
  reaches(organisation: string, topic: string): boolean;
  raise(at: Presence): boolean;
  tell(at: Presence, message: ServerMessage): void;
  dismiss(at: Presence, reason: RefusalReason, step: TraceStep, cure?: string): Refusal | undefined;
}

/** What only the office asks and says. */
const OF_THE_OFFICE: ReadonlySet<string> = new Set<Question['do'] | Word['say']>([
  'reconsider',
  'close',
  'list',
  'find',
  'count',
  'readings',
  'reach',
  'raise',
  'dismiss',
  'rates',
  'tell',
  'shares',
  'moved',
  'stays',
]);

/** A worker that asks for what is not its to ask for: the way to it ends. */
class NotForWorkers extends RangeError {
  constructor(what: string) {
    super(`It asks or says "${what}", which only the office does.`);
  }
}

/** More rows than any disk holds; what is above could not be counted further. */
const MOST_ROWS = 2 ** 50;

function isRowNumber(number: unknown): boolean {
  return Number.isSafeInteger(number) && (number as number) >= 0 && (number as number) < MOST_ROWS;
}

/** Answers what other workers ask this one; in the office, from its book, too. */
export class Desk {
  /** In the office. */
  readonly book: ClaimBook | undefined;
  readonly #context: BrokerContext;
  readonly #team: Team;
  readonly #here: Here;
  readonly #moving: MovingOut;
  readonly #counts: TeamCounts;

  constructor(context: BrokerContext, team: Team, here: Here) {
    this.#context = context;
    this.#team = team;
    this.#here = here;
    this.#moving = new MovingOut(context, team);
    if (team.self === OFFICE) {
      this.book = new ClaimBook(context.now, (worker, id, moved) => {
        if (worker === OFFICE) this.#moving.settled(id, moved);
        else team.say(worker, { say: moved ? 'moved' : 'stays', id });
      });
      team.office = ownBook(this.book);
    } else team.office = farBook(team);
    this.#counts = new TeamCounts(context, team, this.book);
  }

  /** Tells a worker that has just come all that is told now and then. */
  joined(): void {
    this.#counts.forget();
  }

  answer(member: Member, question: Question): unknown {
    const here = this.#here;
    const { number: worker } = member.peer;
    if (worker !== OFFICE && OF_THE_OFFICE.has(question.do)) throw new NotForWorkers(question.do);
    switch (question.do) {
      case 'reconsider':
        return here.reconsider(question.match).then(() => true);
      case 'close':
        return here.closeSessions(question.match, question.reasonCode, question.text);
      case 'list': {
        const { organisation, after, limit } = question;
        const page = { ...(after === undefined ? {} : { after }), ...(limit === undefined ? {} : { limit }) };
        return here.listSessions(organisation, page);
      }
      case 'find':
        return here.findSession(question.organisation, question.clientId);
      case 'count':
        return here.countSessions(question.organisation);
      case 'readings':
        return [...here.readings()];
      case 'reach':
        return here.reaches(question.organisation, question.topic);
      case 'raise':
        return here.raise(question.at);
      case 'dismiss':
        return here.dismiss(question.at, question.reason, question.step, question.cure);
      case 'claim':
        return this.#book().claim(worker, bounded(question.request));
      case 'settle':
        return this.#book().settle(worker, question.id, question.opened, question.will && withBytes(question.will));
      case 'take':
        return this.#moving.take(worker, question);
      case 'yield':
        return this.#moving.yield(worker, question);
      default:
        throw new RangeError('It asks what nobody answers.');
    }
  }

  hear(member: Member, word: Exclude<Word, { say: 'buried' }>): void {
    const { number: worker } = member.peer;
    if (worker !== OFFICE && OF_THE_OFFICE.has(word.say)) throw new NotForWorkers(word.say);
    switch (word.say) {
      case 'told':
        if (!Object.values(word.taken).every(isRowNumber)) throw new RangeError('It has rows that cannot be numbered.');
        this.#context.durability.skip(word.taken);
        this.#team.told(member);
        return;
      case 'rates':
        this.#here.setRates(word.principal, rates(word));
        return;
      case 'tell':
        this.#here.tell(word.at, word.message);
        return;
      case 'away':
        this.#book().away(worker, word.organisation, word.clientId);
        return;
      case 'gone':
        this.#book().gone(worker, word.organisation, word.clientId);
        return;
      case 'lost':
        if (this.book === undefined) throw new RangeError('Only the office is told of workers that are lost.');
        this.#team.links.exchange.drop(
          word.worker,
          `Worker ${worker} had to drop it: ${String(word.why).slice(0, 200)}`,
        );
        return;
      case 'shares':
        useShares(this.#context, word);
        return;
      case 'sizes':
        for (const [organisation, size] of Object.entries(word.organisations)) {
          if (!isRowNumber(size)) throw new RangeError('It has subscriptions that cannot be counted.');
          this.#context.realms.get(organisation)?.router.abroad?.takeSize(worker, size);
        }
        return;
      case 'mark':
        if (word.to === this.#team.self) this.#moving.marked(worker, word.id);
        else this.#team.say(word.to, { say: 'marked', id: word.id });
        return;
      case 'marked':
        this.#moving.marked(worker, word.id);
        return;
      case 'moved':
      case 'stays':
        this.#moving.settled(word.id, word.say === 'moved');
        return;
      default:
        throw new RangeError('It says what nobody understands.');
    }
  }

  /** A message of a session that moves here. */
  moved(body: FrameBody): void {
    const [id, message] = readMoved(body);
    this.#team.moved.get(id)?.push(message);
  }

  lost(worker: number): void {
    this.book?.bury(worker);
    this.#moving.lost();
  }

  #book(): ClaimBook {
    if (this.book === undefined) throw new RangeError('This worker keeps no book.');
    return this.book;
  }
}

/** JSON has no Infinity. */
function bounded(request: ClaimRequest): ClaimRequest {
  const limits = Object.fromEntries(
    Object.entries(request.limits).map(([name, value]) => [name, (value as number | null) ?? Number.POSITIVE_INFINITY]),
  );
  return { ...request, limits: limits as unknown as ClaimLimits };
}

function rates({ messageRate, byteRate }: { readonly messageRate?: number | null; readonly byteRate?: number | null }) {
  const endless = (rate: number | null | undefined) => (rate === null ? Number.POSITIVE_INFINITY : rate);
  const [messages, bytes] = [endless(messageRate), endless(byteRate)];
  return {
    ...(messages === undefined ? {} : { messageRate: messages }),
    ...(bytes === undefined ? {} : { byteRate: bytes }),
  };
}
