import type { Connect } from '@sallyport/mqtt';
import type { BrokerLimits } from './limits.ts';

/** Shorter names gain nothing by an alias. */
const SHORTEST = 4;
/** Longer ones would fill the memory. */
const LONGEST = 1024;

/**
 * The topic aliases that the server sets on one connection (MQTT 5 section 3.3.2.3.4). The first topics get one and keep it: to take
 * aliases away from topics costs more names than it saves.
 */
export class TopicAliases {
  readonly #most: number;
  readonly #aliases = new Map<string, number>();

  /** `most`: the client's topic alias maximum, within the server's own bound [MQTT-3.1.2-26]. */
  constructor(most: number) {
    this.#most = most;
  }

  /** The alias that the client has been told for a full topic; 0: none. */
  known(topic: string): number {
    return this.#aliases.get(topic) ?? 0;
  }

  /** A fresh alias, to be told with the name; 0 if none is left or the name is not worth one. `length`: bytes of the name. */
  take(topic: string, length: number): number {
    if (this.#aliases.size >= this.#most || length < SHORTEST || length > LONGEST) return 0;
    const alias = this.#aliases.size + 1;
    this.#aliases.set(topic, alias);
    return alias;
  }
}

/** The aliases for the client of a CONNECT; undefined if it takes none. */
export function aliasesFor(
  { protocolVersion, properties }: Connect,
  { limits }: { readonly limits: Pick<BrokerLimits, 'topicAliasMaximum'> },
): TopicAliases | undefined {
  const most = Math.min(properties?.topicAliasMaximum ?? 0, limits.topicAliasMaximum);
  return protocolVersion === 5 && most > 0 ? new TopicAliases(most) : undefined;
}
