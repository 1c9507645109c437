import type { Principal, Refusal } from '@sallyport/model';
import type { PublishFrame } from '@sallyport/mqtt';
import type { ServerEvent } from '../events/events.ts';
import { Abroad } from './abroad.ts';
import type { Accounts } from './accounts.ts';
import type { Arrive, Regrounds } from './arrival.ts';
import type { Attend, Overhear } from './attend.ts';
import type { BrokerCounters } from './counters.ts';
import type { Durability } from './durability.ts';
import type { Flusher } from './flusher.ts';
import type { AskForDevice } from './gateway-devices.ts';
import type { BrokerLimits } from './limits.ts';
import type { Passage } from './passage.ts';
import type { PayloadDemands } from './payload-demand.ts';
import { Realm } from './realm.ts';
import type { RowNumbers } from './row-numbers.ts';
import type { Session } from './session.ts';
import type { Team } from './team.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** What the steps of the broker's walks have in common. One per broker. */
export interface BrokerContext {
  readonly now: () => number;
  readonly random: (size: number) => Uint8Array;
  readonly events: { emit(event: ServerEvent): void };
  readonly limits: BrokerLimits;
  readonly arrive: Arrive;
  readonly regrounds: Regrounds;
  readonly refuse: (refusal: Omit<Refusal, 'ticket' | 'at' | 'lastAt' | 'count'>) => Refusal;
  /** Whether a gateway may speak for a device; where it is left out, policy alone decides. */
  readonly askForDevice?: AskForDevice;
  /** Who in the server listens to a topic; where it is left out, nobody. */
  readonly attend?: Attend;
  readonly overhear?: Overhear;
  /** Bounds of single sessions of a principal at the moment; left out: those of {@link limits} for everybody. */
  readonly limitsOf?: (principal: Principal) => Partial<BrokerLimits> | Promise<Partial<BrokerLimits>>;
  /** What payloads must be, by device type; where it is left out, anything. */
  readonly payloadDemands?: PayloadDemands;
  readonly counters: BrokerCounters;
  readonly wheel: TimerWheel;
  readonly flusher: Flusher;
  /** The one message that is being delivered; used again for the next. */
  readonly passage: Passage;
  /** The one PUBLISH that is being read; used again for the next. */
  readonly frame: PublishFrame;
  readonly realms: Map<string, Realm>;
  /** Numbers of the connections that became sessions. */
  readonly presences: RowNumbers;
  readonly durability: Durability;
  /** By principal, over all organisations. */
  readonly accounts: Accounts<Session>;
  /** The other worker processes; undefined where there are none. */
  readonly team: Team | undefined;
}

/** The realm of an organisation, made when it is first needed. */
export function realmOf({ realms, limits, team }: BrokerContext, organisation: string): Realm {
  let realm = realms.get(organisation);
  if (realm === undefined) {
    realm = new Realm(organisation, limits);
    if (team !== undefined) realm.router.abroad = new Abroad(organisation, realm.router, team);
    realms.set(organisation, realm);
  }
  return realm;
}
