import type { Principal, Refusal, RefusalReason, TraceStep } from '@sallyport/model';
import type { Evidence, Grounds } from '../authentication/authenticator.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { BrokerLimits } from './limits.ts';

/** What the broker asks at the two doors: may this client come in? */
export interface Arrival {
  /** With an exchange that is a renewal: of a client whose session is open. */
  readonly evidence: Evidence;
  readonly protocolVersion: 3 | 4 | 5;
  readonly cleanStart: boolean;
  /** The topic is as the client wrote it: its scope is not resolved yet. */
  readonly will?: { readonly topic: string; readonly qos: 0 | 1 | 2; readonly retain: boolean };
}

export type ArrivalVerdict =
  | { readonly outcome: 'admitted'; readonly session: Admission }
  | { readonly outcome: 'refused'; readonly reason: RefusalReason; readonly refusal: Refusal };

/** Both doors in one question. Throwing refuses the connection: a broken door is a closed one. */
export type Arrive = (arrival: Arrival) => ArrivalVerdict | Promise<ArrivalVerdict>;

/** What a client that came through both doors may rely on. */
export interface Admission {
  readonly organisation: string;
  readonly principal: Principal;
  readonly grounds: Grounds;
  /** Effective client identifier, unique within the organisation. Empty: the broker assigns one. */
  readonly clientId: string;
  /** A device or gateway with a Watson-style client id: speaks in short topics. */
  readonly scoped: boolean;
  /** The rules of the Watson IoT Platform hold: retain flag stripped, close codes, gateway notices. */
  readonly watson: boolean;
  readonly rights: Rights;
  readonly assurance: 'full' | 'pending';
  /** What it may touch once its owner has proven to be present; only while `assurance` is pending. */
  readonly raised?: Rights;
  /** Replaces single limits of the broker for this session. */
  readonly limits?: Partial<BrokerLimits>;
}

/** What a session may touch. Topics and filters are always the full ones, never a device's short form. */
export interface Rights {
  /** Synchronous; never throws. `connect` asks for a client id, `subscribe` for the whole filter, the other two for one topic. */
  permits(action: 'connect' | 'publish' | 'subscribe' | 'receive', resource: string): boolean;
  /** Whether it would be permitted if the principal were not contained; left out: nobody ever is. */
  withholds?(action: 'subscribe', resource: string): boolean;
  /** Changes whenever an earlier answer may no longer hold. */
  readonly version: number;
  /** The session has nothing to do: keep as little as possible for it. */
  rest?(): void;
  /** The full trace and its ticket; asked only when something has been refused. */
  refuse(
    action: 'publish' | 'subscribe' | 'receive' | 'will',
    resource: string,
    extra?: readonly TraceStep[],
    /** What can be done about a limit that one of the extra steps has met. */
    cure?: string,
  ): Refusal;
}

/** Whether the grounds of a live session still hold. */
export type Standing = 'stands' | { readonly ended: RefusalReason; readonly text: string; readonly cure?: string };

/**
 * Judges the grounds of a session anew, and whether its connection is still one that its device type takes; that is left out
 * while the client is away, as it has to come through the doors again. Throwing ends the session: what cannot be judged does
 * not stand.
 */
export type Regrounds = (grounds: Grounds, transport?: TransportFacts) => Standing | Promise<Standing>;
