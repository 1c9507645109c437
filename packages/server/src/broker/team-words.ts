import type { RefusalReason, TraceStep } from '@sallyport/model';
import type { Presence } from './attend.ts';
import type { ClaimRequest } from './claim-request.ts';
import type { TakenNumbers } from './durability.ts';
import type { ServerMessage } from './server-message.ts';
import type { StoredSession } from './session-store.ts';
import type { SessionMatch } from './session-view.ts';

/** What one worker asks another. */
export type Question =
  | { readonly do: 'reconsider'; readonly match: SessionMatch }
  | { readonly do: 'close'; readonly match: SessionMatch; readonly reasonCode: number; readonly text: string }
  | { readonly do: 'list'; readonly organisation: string; readonly after?: string; readonly limit?: number }
  | { readonly do: 'find'; readonly organisation: string; readonly clientId: string }
  | { readonly do: 'count'; readonly organisation?: string }
  | { readonly do: 'readings' }
  | { readonly do: 'reach'; readonly organisation: string; readonly topic: string }
  | { readonly do: 'raise'; readonly at: Presence }
  | {
      readonly do: 'dismiss';
      readonly at: Presence;
      readonly reason: RefusalReason;
      readonly step: TraceStep;
      readonly cure?: string;
    }
  /** To the office: may this client have its session here? */
  | { readonly do: 'claim'; readonly request: ClaimRequest }
  /** To the office: what came of a claim. */
  | { readonly do: 'settle'; readonly id: number; readonly opened: boolean; readonly will?: StoredSession }
  /** To the worker that has a session: end its connection, and say what it has subscribed to. */
  | ({ readonly do: 'take'; readonly id: number; readonly cleanStart: boolean } & ClientName)
  /** Hand it over, when these workers have said that they send to both. */
  | { readonly do: 'yield'; readonly id: number; readonly workers: readonly number[] };

/** What one worker tells another, which needs no answer. */
export type Word =
  /** Everything has been told; so many rows are numbered. */
  | { readonly say: 'told'; readonly taken: TakenNumbers }
  | { readonly say: 'rates'; readonly principal: string; readonly messageRate?: number; readonly byteRate?: number }
  | { readonly say: 'tell'; readonly at: Presence; readonly message: ServerMessage & { readonly payload: string } }
  /** To the office: the client of a kept session has gone, or a session has ended. */
  | ({ readonly say: 'away' | 'gone' } & ClientName)
  /** To the office: this worker had to drop another one. */
  | { readonly say: 'lost'; readonly worker: number; readonly why: string }
  /** Parts of the rates of principals and organisations that this worker may use. */
  | {
      readonly say: 'shares';
      readonly principals: Readonly<Record<string, number>>;
      readonly organisations: Readonly<Record<string, number>>;
    }
  /** Subscriptions that this worker has, by organisation, where they are others than before. */
  | { readonly say: 'sizes'; readonly organisations: Readonly<Record<string, number>> }
  /** From now on what matches goes to both workers: tell the one that has the session. */
  | { readonly say: 'mark'; readonly id: number; readonly to: number }
  | { readonly say: 'marked'; readonly id: number }
  /** From the office: what a dead worker had is somewhere else now. */
  | { readonly say: 'buried'; readonly worker: number }
  /** From the office: a session that was handed over is in another worker now, or stays. */
  | { readonly say: 'moved' | 'stays'; readonly id: number };

/** Whose session it is. */
export interface ClientName {
  readonly organisation: string;
  readonly clientId: string;
}
