import { type DevicePrincipal, type Principal, principalName, type Refusal } from '@sallyport/model';
import type { ProtocolVersion } from '@sallyport/mqtt';
import type { Grounds } from '../authentication/authenticator.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { Account } from './accounts.ts';
import { Turnstile } from './allowance.ts';
import type { Admission, Rights } from './arrival.ts';
import type { BrokerLimits } from './limits.ts';
import type { Message } from './message.ts';
import { Receiver } from './receiver.ts';
import type { Subscription } from './route.ts';
import type { Alarm } from './timer-wheel.ts';
import { TopicCache } from './topic-cache.ts';

/** A will, kept until the client is gone for good or says goodbye. */
export interface KeptWill {
  readonly message: Message;
  /** Seconds between the end of the connection and the sending. */
  readonly delay: number;
  /** Seconds that the message lives once it is sent; undefined: for ever. */
  readonly expiry: number | undefined;
}

const NO_SUBSCRIPTIONS: ReadonlyMap<string, Subscription> = new Map();

/** A client's state, which may outlive its connections. */
export class Session extends Receiver {
  readonly organisation: string;
  readonly clientId: string;
  principal!: Principal;
  /** Written form of the principal. */
  principalName!: string;
  grounds!: Grounds;
  /** What its principal has of the broker. */
  account!: Account<Session>;
  rights!: Rights;
  scope: DevicePrincipal | undefined;
  watson = false;
  assurance: 'full' | 'pending' = 'full';
  /** Number of the connection: what was proven in one does not hold in the next. */
  presence = 0;
  limits!: BrokerLimits;
  version: ProtocolVersion = 4;
  /** Seconds that the session outlives its connection. */
  expiry = 0;
  /** As the client asked for it in CONNECT, before any bound. */
  expiryAsked = 0;
  will: KeptWill | undefined;
  /** Group in which an instance of a scalable application shares each of its subscriptions. */
  share: string | undefined;
  #subscriptions: Map<string, Subscription> | undefined;
  /** Subscriptions that a containment has ended, by the filter as the client wrote it; its end gives back those that are permitted then. */
  withheld: Map<string, Subscription> | undefined;
  readonly topics = new TopicCache();
  /** Refusals worked out in full during this tick; beyond a few, equal ones are only counted. */
  refusalTick = -1;
  refusals = 0;
  lastRefusal: Refusal | undefined;
  /** Facts of the last connection, for lists. */
  lastAddress = '';
  lastTransport: 'tcp' | 'tls' | 'ws' | 'wss' = 'tls';
  /** How often its connections may push each other out. */
  takeovers = new Turnstile();
  lastFacts: TransportFacts | undefined;
  connectedAt = 0;
  /** Milliseconds since the epoch; 0: never. */
  lastLeft = 0;
  /** The end of the session, while the client is away. */
  expiryTimer: Alarm | undefined;
  /** The sending of the will, while the client is away. */
  willTimer: Alarm | undefined;
  /** The end of the credential. */
  groundsTimer: Alarm | undefined;

  constructor(organisation: string, clientId: string) {
    super();
    this.organisation = organisation;
    this.clientId = clientId;
  }

  /** By the filter as the client wrote it. */
  get subscriptions(): ReadonlyMap<string, Subscription> {
    return this.#subscriptions ?? NO_SUBSCRIPTIONS;
  }

  keepSubscription(subscription: Subscription): void {
    this.#subscriptions ??= new Map();
    this.#subscriptions.set(subscription.written, subscription);
  }

  dropSubscription(written: string): void {
    if (this.#subscriptions?.delete(written) === true && this.#subscriptions.size === 0)
      this.#subscriptions = undefined;
  }

  /** Puts the session on the ground of a new admission: nothing that was decided before is believed any more. */
  admit(admission: Admission, version: ProtocolVersion, limits: BrokerLimits): void {
    const { principal } = admission;
    this.principal = principal;
    this.principalName = principalName(principal);
    this.grounds = admission.grounds;
    this.rights = admission.rights;
    this.scope =
      admission.scoped && (principal.kind === 'device' || principal.kind === 'gateway') ? principal : undefined;
    this.watson = admission.watson;
    this.assurance = admission.assurance;
    this.raised = admission.assurance === 'pending' ? (admission.raised ?? admission.rights) : undefined;
    this.limits = limits;
    this.version = version;
    this.forgetDecisions();
  }

  forgetDecisions(): void {
    this.epoch++;
    this.topics.clear();
  }
}
