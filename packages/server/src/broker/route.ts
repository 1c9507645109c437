import type { QoS } from '@sallyport/mqtt';
import type { Receiver } from './receiver.ts';

/** One subscription of one session. */
export interface Subscription {
  readonly receiver: Receiver;
  /** As the client wrote it: the name under which it unsubscribes. */
  readonly written: string;
  /** The full filter, without `$share/NAME/`. */
  readonly filter: string;
  /** Group that shares the messages of this filter. */
  readonly share: string | undefined;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  /** 0: none. */
  readonly identifier: number;
}

/** Sessions that share a subscription: each message goes to one of them. */
export interface ShareGroup<S = Subscription> {
  readonly members: Set<S>;
  /** Counts messages, for taking turns. */
  turn: number;
}

/** What one receiver gets of one topic: all its matching subscriptions in one delivery [MQTT-3.3.4-2]. */
export interface Target {
  readonly receiver: Receiver;
  qos: QoS;
  retainAsPublished: boolean;
  /** Subscription identifiers as they travel in MQTT 5. */
  identifiers: Buffer | undefined;
  /** The same for what the receiver has published itself: `no local` subscriptions do not count; -1: none is left. */
  echoQos: QoS | -1;
  echoIdentifiers: Buffer | undefined;
  /** The topic as this receiver knows it. */
  readonly presented: Buffer;
  allowed: boolean;
  /** By which `allowed` was decided. */
  version: number;
  epoch: number;
}

/** The members of one group that could take a message of this topic. */
export interface GroupTargets {
  readonly group: ShareGroup;
  readonly targets: Target[];
}

/** Where messages of one topic go. */
export interface Route {
  readonly topic: string;
  readonly topicBytes: Buffer;
  /** Version of the router's subscriptions that this route reflects. */
  version: number;
  targets: Target[];
  groups: GroupTargets[];
  /** Who gets them in other workers; undefined where there are none. */
  elsewhere: Elsewhere | undefined;
  /** Its number in {@link RouteNumbers}, if it is still there. */
  number: number;
}

/** Where messages of one topic go beyond this worker. */
export interface Elsewhere {
  /** Workers with a subscription that is not shared. */
  readonly workers: readonly number[];
  /** Those of them in which a session is kept for it: a message of QoS 1 or 2 is not taken before they have stored it. */
  readonly keepers: readonly number[];
  /** All groups that have members elsewhere; those that have none are not among them. */
  readonly groups: readonly SharedElsewhere[];
}

/** A group that has members in other workers. */
export interface SharedElsewhere {
  readonly share: string;
  readonly filter: string;
  /** Its members in this worker. */
  readonly here: GroupTargets | undefined;
  /** Living counts, by worker. */
  readonly seats: ReadonlyMap<number, Seats>;
  /** Counts messages, for taking turns among workers. */
  readonly turn: { now: number };
}

/** Members of a group in one worker. */
export interface Seats {
  readonly members: number;
  /** Those of them whose client is here. */
  readonly online: number;
  /** At least one of them is, or was, a session that is kept. */
  readonly keeps: boolean;
}
