import { isUtf8 } from 'node:buffer';
import { type ClientId, parseClientId, principalName, resolveTopic } from '@sallyport/model';
import type { Connect } from '@sallyport/mqtt';
import { metBound, willBound } from './admission-bounds.ts';
import type { Admission } from './arrival.ts';
import { type BrokerContext, realmOf } from './context.ts';
import { removeSession } from './departure.ts';
import { CLOSE_CODES } from './ending.ts';
import type { BrokerLimits } from './limits.ts';
import type { Link } from './link.ts';
import type { NotOpened } from './not-opened.ts';
import type { Realm } from './realm.ts';
import { enrol } from './reconsider.ts';
import { Session } from './session.ts';
import { sessionLimits } from './session-limits.ts';
import { exceedsTopicBounds } from './topic-bounds.ts';
import { endUncovered } from './unsubscribe.ts';
import { hasWrongForm, keptWill } from './will.ts';

/** A session that an admitted client now has. */
export interface Opened {
  readonly realm: Realm;
  readonly session: Session;
  readonly sessionPresent: boolean;
  /** The broker has chosen the client identifier and must tell it. */
  readonly assigned: boolean;
}

/**
 * Resumes or opens the session of an admitted client; an older connection of the same client ends [MQTT-3.1.4-3]. `claimed`: the client id
 * that this one of several workers has claimed for it, within the bounds that hold over all of them.
 */
export function openSession(
  context: BrokerContext,
  packet: Connect,
  admission: Admission,
  link: Link,
  claimed?: string,
): Opened | NotOpened {
  const limits = sessionLimits(context.limits, admission.limits);
  // A will is a publish: what may not be published must not come in by the other door.
  if (packet.will !== undefined && exceedsTopicBounds(fullTopic(admission, packet.will.topic), limits)) {
    return {
      reason: 'quota_exceeded',
      text: `The topic of the will has more than ${limits.topicLevels} levels or 65535 bytes.`,
    };
  }
  const large = willBound(packet, limits);
  if (large !== undefined) return large;
  if (packet.will?.properties?.payloadFormatIndicator === 1 && !isUtf8(packet.will.payload)) {
    return {
      reason: 'payload_format_invalid',
      text: 'The payload format indicator of the will says UTF-8 and the payload is something else.',
    };
  }
  const scalable = scalableOf(admission.clientId);
  const expiry = expiryOf(packet, limits);
  const clientId = claimed ?? effectiveClientId(context, admission, scalable, !packet.cleanStart && expiry > 0);
  const held = context.realms.get(admission.organisation)?.sessions.get(clientId);
  if (held !== undefined && !samePrincipal(held, admission)) {
    return {
      reason: 'client_id_not_permitted',
      text: `A session with this client id belongs to ${held.principalName}.`,
    };
  }
  const takeovers = held?.takeovers;
  evict(context, realmOf(context, admission.organisation), clientId);
  // What was evicted may have been the last of its realm, which is then a new one.
  const realm = realmOf(context, admission.organisation);
  const crowded =
    claimed === undefined
      ? (metBound(context, limits, realm, clientId, principalName(admission.principal)) ??
        tooManyInstances(realm, clientId, limits, scalable))
      : undefined;
  if (crowded !== undefined) {
    if (realm.empty) context.realms.delete(realm.organisation);
    return crowded;
  }

  let session = realm.sessions.get(clientId);
  if (expiry > 0 && context.durability.store.failing && (packet.cleanStart || session === undefined)) {
    if (realm.empty) context.realms.delete(realm.organisation);
    return { reason: 'quota_exceeded', text: 'The session store takes no new session at the moment.' };
  }
  if (session !== undefined && packet.cleanStart) {
    removeSession(context, realm, session);
    session = undefined;
  }
  const sessionPresent = session !== undefined;
  if (session === undefined) {
    session = new Session(realm.organisation, clientId);
    // Clients that push each other out do not begin anew with each session that ends by it.
    if (takeovers !== undefined) session.takeovers = takeovers;
    context.counters.sessionsNow++;
  }
  // Removing the old one may have emptied the realm.
  context.realms.set(realm.organisation, realm);
  realm.sessions.set(clientId, session);
  context.wheel.cancel(session.expiryTimer);
  context.wheel.cancel(session.willTimer);

  session.admit(admission, packet.protocolVersion, limits);
  session.presence = context.presences.next();
  enrol(context, realm, session);
  session.share = scalable === undefined ? undefined : shareName(scalable);
  if (sessionPresent) endUncovered(context, realm, session);
  session.expiry = expiry;
  session.expiryAsked = packet.properties?.sessionExpiryInterval ?? 0;
  session.will = packet.will === undefined ? undefined : keptWill(session, packet.will);
  session.maximumPacketSize = packet.properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY;
  session.receiveMaximum = Math.min(packet.properties?.receiveMaximum ?? 65_535, limits.inflight);
  session.quota = session.receiveMaximum;
  session.sendAgain();
  session.connectedAt = link.connectedAt;
  session.lastAddress = link.facts.remoteAddress;
  session.lastTransport = link.facts.transport;
  session.lastFacts = link.facts;
  if (session.will !== undefined && hasWrongForm(context, session, session.will)) session.will = undefined;
  session.link = link;
  realm.router.abroad?.moved(session.subscriptions.values(), 1);
  realm.connected++;
  context.durability.save(session);
  return { realm, session, sessionPresent, assigned: admission.clientId === '' };
}

function fullTopic({ scoped, principal }: Admission, topic: string): string {
  return scoped && (principal.kind === 'device' || principal.kind === 'gateway')
    ? resolveTopic(principal, topic)
    : topic;
}

function evict(context: BrokerContext, realm: Realm, clientId: string): void {
  const older = realm.sessions.get(clientId)?.link;
  if (older === undefined) return;
  context.counters.sessionsTakenOver++;
  older.end({
    reasonCode: 0x8e,
    closeCode: CLOSE_CODES.clientIdReused,
    text: 'The client id was reused: another connection came with the same client id.',
    will: true,
  });
}

/** A session belongs to a principal: nobody else resumes or evicts it, whatever client ids a policy permits. */
function samePrincipal(session: Session, { principal }: Admission): boolean {
  return session.principalName === principalName(principal);
}

type Scalable = Extract<ClientId, { kind: 'application' }>;

/** An instance of an application whose instances share their subscriptions (watson-iot.md section 2.10). */
export function scalableOf(clientId: string): Scalable | undefined {
  const parsed = parseClientId(clientId);
  return parsed.ok && parsed.value.kind === 'application' && parsed.value.scalable ? parsed.value : undefined;
}

/**
 * Instances without a name of their own must not take each other over: each gets one. One that keeps its session comes back to any
 * that an instance has left, so that what waits there is not lost.
 */
function effectiveClientId(
  context: BrokerContext,
  admission: Admission,
  scalable: Scalable | undefined,
  keeps: boolean,
): string {
  const { clientId, organisation } = admission;
  if (clientId === '') return `auto-${Buffer.from(context.random(16)).toString('base64url')}`;
  if (scalable === undefined || scalable.instance !== undefined) return clientId;
  const left = keeps ? leftInstance(context.realms.get(organisation), `${clientId}:~`, admission) : undefined;
  return left?.clientId ?? `${clientId}:~${Buffer.from(context.random(9)).toString('base64url')}`;
}

/** The session of an absent instance without a name for which most messages wait. */
function leftInstance(realm: Realm | undefined, prefix: string, admission: Admission): Session | undefined {
  let left: Session | undefined;
  for (const session of realm?.sessions.values() ?? []) {
    if (session.link !== undefined || !session.clientId.startsWith(prefix) || !samePrincipal(session, admission))
      continue;
    if (left === undefined || session.queue.length > left.queue.length) left = session;
  }
  return left;
}

/** Named instances are a group of their own. */
function shareName({ organisation, id, instance }: Scalable): string {
  return instance === undefined ? `${organisation}:${id}` : `${organisation}:${id}:`;
}

function tooManyInstances(
  realm: Realm,
  clientId: string,
  limits: BrokerLimits,
  scalable: Scalable | undefined,
): NotOpened | undefined {
  if (scalable === undefined || realm.sessions.has(clientId)) return undefined;
  const prefix = `A:${scalable.organisation}:${scalable.id}:`;
  let instances = 0;
  for (const name of realm.sessions.keys()) if (name.startsWith(prefix)) instances++;
  if (instances < limits.scalableInstances) return undefined;
  return {
    reason: 'quota_exceeded',
    text: `The application ${scalable.id} has ${limits.scalableInstances} instances, its limit.`,
    limit: { name: 'scalableInstances', what: 'instances of the application', found: instances + 1, most: instances },
  };
}

/** Seconds; capped. */
export function expiryOf(packet: Connect, limits: BrokerLimits): number {
  if (packet.protocolVersion < 5) return packet.cleanStart ? 0 : limits.sessionExpiryMaximum;
  return Math.min(packet.properties?.sessionExpiryInterval ?? 0, limits.sessionExpiryMaximum);
}
