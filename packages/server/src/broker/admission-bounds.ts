import type { RefusalReason } from '@sallyport/model';
import type { Connect } from '@sallyport/mqtt';
import type { Admission } from './arrival.ts';
import type { BrokerContext } from './context.ts';
import type { BrokerLimits, LimitName } from './limits.ts';
import { metLimit, type NotOpened, TURN_BURST } from './not-opened.ts';
import { encodedProperties } from './publish-properties.ts';
import type { Realm } from './realm.ts';

/** A will that is larger than may be kept. */
export function willBound({ will }: Connect, limits: BrokerLimits): NotOpened | undefined {
  if (will === undefined) return undefined;
  const size = Buffer.byteLength(will.topic) + will.payload.length + encodedProperties(will.properties).length;
  return size > limits.willSize ? met('packet_too_large', limits, 'willSize', 'bytes of the will', size) : undefined;
}

/** The bound of a principal or an organisation that a new connection would break; `clientId` is the one it will have. */
export function metBound(
  context: BrokerContext,
  limits: BrokerLimits,
  realm: Realm,
  clientId: string,
  principalName: string,
): NotOpened | undefined {
  const present = realm.sessions.get(clientId);
  if (present === undefined) {
    const own = context.accounts.find(principalName)?.sessions.size ?? 0;
    if (own >= limits.principalSessions) {
      return met('quota_exceeded', limits, 'principalSessions', 'sessions of the principal', own + 1);
    }
    if (realm.sessions.size >= limits.sessions) {
      return met('quota_exceeded', limits, 'sessions', 'sessions of the organisation', realm.sessions.size + 1);
    }
  }
  if (present?.link === undefined && realm.connected >= limits.organisationConnections) {
    const found = realm.connected + 1;
    return met('quota_exceeded', limits, 'organisationConnections', 'connections of the organisation', found);
  }
  return undefined;
}

function met(reason: RefusalReason, limits: BrokerLimits, name: LimitName, what: string, found: number): NotOpened {
  return metLimit(reason, name, what, found, limits[name]);
}

/**
 * Milliseconds that an admitted client has to wait for its turn, so that neither reconnecting in a loop nor two clients that push
 * each other out take the server's time from others.
 */
export function waitForTurn(
  context: BrokerContext,
  { organisation, clientId, limits: own }: Admission,
  principalName: string,
): number | NotOpened {
  const limits: Pick<BrokerLimits, 'connectRate' | 'takeoverRate' | 'connectDeadline'> = { ...context.limits, ...own };
  const now = context.now();
  const { connects } = context.accounts.of(principalName, now);
  const held = context.realms.get(organisation)?.sessions.get(clientId);
  const { connectDeadline: patience, connectRate, takeoverRate } = limits;
  const wait = connects.pass(now, connectRate, connectRate * TURN_BURST, patience);
  if (wait === undefined) return tooFast('connectRate', 'connections of the principal per second', connectRate);
  if (held?.link === undefined || held.principalName !== principalName) return wait;
  const turn = held.takeovers.pass(now, takeoverRate, takeoverRate * TURN_BURST, patience);
  if (turn === undefined) return tooFast('takeoverRate', 'takeovers of the client id per second', takeoverRate);
  return Math.max(wait, turn);
}

function tooFast(name: LimitName, what: string, most: number): NotOpened {
  const limit = { name, what, found: most + 1, most };
  return { reason: 'connection_limit', text: `More ${what} than are allowed, for longer than may be waited.`, limit };
}
