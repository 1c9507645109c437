import type { DevicePrincipal, Principal, Refusal, TraceStep } from '@sallyport/model';
import type { Evidence, Grounds } from '../authentication/authenticator.ts';
import type { ServerCredentials } from '../authority/authority.ts';
import type { ContainmentLevel } from '../authorization/containments.ts';
import type { Admission, Arrival, ArrivalVerdict, Standing } from '../broker/arrival.ts';
import type { Heard, Overheard } from '../broker/attend.ts';
import type { BrokerCounters } from '../broker/counters.ts';
import type { DeviceAnswer, DeviceName } from '../broker/gateway-devices.ts';
import type { BrokerLimits } from '../broker/limits.ts';
import type { PayloadDemand } from '../broker/payload-demand.ts';
import type { ServerEvent } from '../events/events.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { HandshakeFailure } from '../listeners/handshake-problem.ts';
import type { DoorOptions, TlsDoorOptions } from '../listeners/listener-options.ts';
import type { TicketKey } from '../listeners/session-tickets.ts';
import type { SocketAddresses } from '../listeners/socket-address.ts';

/** What is asked at the doors: functions do not travel, so an exchange is a number under which it is spoken to. */
export interface ArrivalQuestion extends Omit<Arrival, 'evidence'> {
  readonly evidence: Omit<Evidence, 'exchange'>;
  readonly exchange?: {
    readonly number: number;
    readonly method: string;
    readonly data?: Uint8Array;
    readonly renewal: boolean;
  };
}

/** What the doors have said: rights do not travel, but what they are built from. */
export type ArrivalAnswer =
  | Extract<ArrivalVerdict, { outcome: 'refused' }>
  | {
      readonly outcome: 'admitted';
      readonly session: Omit<Admission, 'rights' | 'raised' | 'assurance'>;
      /** Steps passed: the beginning of the trace of each later refusal. */
      readonly steps: readonly TraceStep[];
      /** The client id for which the rights are. */
      readonly rightsOf: string;
      readonly owes?: { readonly publishedFlow?: boolean };
    };

/** A connection on its way to a worker. */
export interface SocketWord {
  readonly listener: string;
  /** Number of the connection. */
  readonly number: number;
}

/** One end of the way between two workers, on its way to one of them. */
export interface BusWord {
  /** Number of the worker at the other end. */
  readonly peer: number;
}

/** Credentials as they travel: what chooses among them is made anew at their place. */
export type SentCredentials = Omit<ServerCredentials, 'forName'>;

/** One listener as a worker serves it. What is not in it is judged in the office. */
export type ListenerPlan = Pick<DoorOptions, 'name' | 'handshakeTimeout' | 'proxyAddresses'> & {
  /** Without it: plain TCP. */
  readonly tls?: Pick<TlsDoorOptions, 'minimumTlsVersion' | 'requestCertificate'> & {
    readonly credentials: SentCredentials;
    readonly ticketKeys: readonly [TicketKey, ...TicketKey[]];
    /** Certificates are judged before a byte of MQTT is read. */
    readonly admits: boolean;
  };
};

/** All that a worker is made of. */
export interface WorkerPlan {
  readonly number: number;
  /** Of the whole server, the office included. */
  readonly workers: number;
  readonly limits: BrokerLimits;
  readonly listeners: readonly ListenerPlan[];
  readonly demands: readonly (readonly [type: string, demand: PayloadDemand])[];
  readonly containments: readonly (readonly [principal: string, level: ContainmentLevel])[];
  /** Why the session store takes nothing at the moment. */
  readonly storeProblem?: string;
}

/** What a worker asks of the office, or tells it. */
export type OfficeCalls = {
  arrive(question: ArrivalQuestion): Promise<ArrivalAnswer>;
  regrounds(grounds: Grounds, transport: TransportFacts | undefined): Standing | Promise<Standing>;
  /** Bounds of single sessions of a principal at the moment. */
  limitsOf(principal: Principal): Partial<BrokerLimits>;
  askForDevice(
    gateway: DevicePrincipal,
    roles: readonly string[],
    device: DeviceName,
  ): DeviceAnswer | Promise<DeviceAnswer>;
  admitCertificate(facts: TransportFacts): ReturnType<NonNullable<TlsDoorOptions['admitCertificate']>>;
  /** Text of the organisation's own policy. */
  policy(organisation: string): Promise<string | undefined>;
  /** Whether the client for whom a proxy speaks may go on. */
  proxied(connection: number, client: SocketAddresses): boolean;
  /** The handshake of a connection has come to an end. */
  settled(connection: number): void;
  gone(connection: number): void;
  handshakeFailed(failure: HandshakeFailure): void;
  heard(topic: string, heard: Heard): void;
  overheard(topic: string, heard: Overheard): void;
  event(event: ServerEvent): void;
  refusals(refusals: readonly Refusal[], untraced: number): void;
  /** The end of the way to a peer has arrived. */
  hasWay(peer: number): void;
  readStore(sql: string): Promise<readonly Record<string, unknown>[]>;
};

/** What the office asks of a worker, or tells it. */
export type WorkerCalls = {
  /** First of all; answered when the worker takes connections. */
  begin(plan: WorkerPlan): Promise<void>;
  setCredentials(
    listener: string,
    credentials: SentCredentials,
    ticketKeys: readonly [TicketKey, ...TicketKey[]],
  ): void;
  setTicketKeys(listener: string, ticketKeys: readonly [TicketKey, ...TicketKey[]]): void;
  /** Both ends of the way to a peer have arrived. */
  join(peer: number): void;
  policyChanged(organisation: string): Promise<void>;
  policyRemoved(organisation: string): void;
  setDemand(type: string, demand: PayloadDemand | undefined): void;
  setContainment(principal: string, level: ContainmentLevel | undefined): void;
  challenge(exchange: number, data: Uint8Array, patience?: number): Promise<{ readonly data?: Uint8Array } | undefined>;
  conclude(exchange: number, data: Uint8Array): void;
  storeCommitted(): void;
  storeFailing(problem: string): void;
  storeRecovered(): void;
  /** Resolves when these workers have told what they have: only then is a client to be accepted. */
  ready(workers: readonly number[]): Promise<void>;
  counters(): BrokerCounters;
  alive(): void;
  /** Tells the clients, lets them finish, and puts everything on disk. */
  close(reason: string): Promise<void>;
};
