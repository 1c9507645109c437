import { Failure, topicMatches } from '@sallyport/model';
import type { IPublishPacket } from 'mqtt';
import type { MessageProperties } from './link-options.ts';

/** Who gets the messages of a subscription. */
export type Receiver = (
  topic: string,
  payload: Uint8Array,
  properties: MessageProperties | undefined,
) => void | Promise<void>;

export interface Subscription {
  readonly filter: string;
  readonly qos: 0 | 1 | 2;
  /** Absent once the server has refused it. */
  readonly receive: Receiver | undefined;
  /** Of the admission, which subscribes again by itself. */
  readonly early?: boolean;
}

/** What was subscribed, by the identifier under which the server sends it. */
export class Subscriptions {
  readonly #byIdentifier = new Map<number, Subscription>();

  /** Keeps a subscription and gives it an identifier; an early one keeps its own in every connection. */
  add(subscription: Subscription): number {
    const known = [...this.#byIdentifier].find(
      ([, { filter, early }]) => subscription.early && early && filter === subscription.filter,
    );
    const identifier = known?.[0] ?? this.#byIdentifier.size + 1;
    this.#byIdentifier.set(identifier, subscription);
    return identifier;
  }

  get(identifier: number): Subscription {
    return this.#byIdentifier.get(identifier)!;
  }

  refused(identifier: number): void {
    const { filter, qos } = this.get(identifier);
    this.#byIdentifier.set(identifier, { filter, qos, receive: undefined });
  }

  /** What the program has subscribed and the server has granted. */
  granted(): readonly number[] {
    return [...this.#byIdentifier]
      .filter(([, { receive, early }]) => receive !== undefined && !early)
      .map(([identifier]) => identifier);
  }

  /** Hands a message to whom it is for; `report` hears of receivers that threw. */
  dispatch(topic: string, payload: Uint8Array, packet: IPublishPacket, report: (failure: Failure) => void): void {
    const named = packet.properties?.subscriptionIdentifier;
    const identifiers = named === undefined ? undefined : new Set([named].flat());
    for (const [identifier, { filter, receive }] of this.#byIdentifier) {
      if (!receive) continue;
      if (identifiers ? !identifiers.has(identifier) : !topicMatches(filter, topic)) continue;
      Promise.resolve()
        .then(() => receive(topic, payload, packet.properties))
        .catch((cause: unknown) => report(thrown(topic, cause)));
    }
  }
}

function thrown(topic: string, cause: unknown): Failure {
  if (cause instanceof Failure) return cause;
  return new Failure('internal', `The handler of a message of ${topic} threw.`, {
    cause,
    cure: 'Correct the handler.',
  });
}
