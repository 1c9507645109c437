import { REASONS, type Refusal } from '@sallyport/model';
import type { QoS } from '@sallyport/mqtt';
import type { BrokerContext } from './context.ts';
import { notifyGateway } from './gateway-notice.ts';
import { limitCure, type MetLimit } from './limit-keys.ts';
import type { Link } from './link.ts';
import { PUBACK, PUBREC } from './pending-acks.ts';
import { denialCodes } from './reason-codes.ts';
import { send, ticketProperties } from './send.ts';
import type { Session } from './session.ts';

/** Refusals worked out in full for one session in one tick; what comes beyond is counted and shares the last ticket. */
const FULL_PER_TICK = 10;

/** The refusal of an action, with its trace and ticket. Bounded: an attacker must not buy traces with cheap packets. */
export function refusalFor(
  context: BrokerContext,
  session: Session,
  action: 'publish' | 'subscribe',
  resource: string,
  met?: MetLimit,
): Refusal {
  return boundedRefusal(context, session, action, () =>
    met === undefined
      ? session.rights.refuse(action, resource)
      : session.rights.refuse(action, resource, [met.step], limitCure(met.limit, session.principal, session.limits)),
  );
}

/** A refusal that `make` works out in full, unless too many were in this tick: then the last one counts for it. */
export function boundedRefusal(
  context: BrokerContext,
  session: Session,
  action: 'publish' | 'subscribe',
  make: () => Refusal,
): Refusal {
  const { tick } = context.wheel;
  if (session.refusalTick !== tick) {
    session.refusalTick = tick;
    session.refusals = 0;
  }
  session.refusals++;
  if (session.refusals > FULL_PER_TICK && session.lastRefusal !== undefined) {
    session.lastRefusal = context.refuse(session.lastRefusal);
    return session.lastRefusal;
  }
  const refusal = make();
  session.lastRefusal = refusal;
  context.events.emit({ type: action === 'publish' ? 'message.denied' : 'subscription.denied', refusal });
  return refusal;
}

/**
 * Answers a publish that is not permitted. MQTT 5 tells it and goes on; a gateway gets a notice beside a normal
 * acknowledgement; anyone else is disconnected, as an acknowledgement of MQTT 3.1.1 would be a lie.
 */
export function denyPublish(
  context: BrokerContext,
  session: Session,
  link: Link,
  topic: string,
  qos: QoS,
  packetId: number,
  refusal: Refusal,
): void {
  context.counters.messagesDenied++;
  const codes = denialCodes(refusal, session.watson);
  if (session.watson && session.principal.kind === 'gateway') {
    notifyGateway(context, session.principal, 'Publish', topic, codes.closeCode, refusal);
    if (qos === 0) return;
    const { durability } = context;
    if (qos === 2) durability.hold(session, packetId);
    const sequence = qos === 2 && session.storeId > 0 ? durability.store.written : 0;
    durability.acknowledge(session, link, qos === 1 ? PUBACK : PUBREC, packetId, sequence);
    return;
  }
  if (link.version === 5) {
    if (qos === 0) return;
    const told = ticketProperties(link, refusal.ticket, session.maximumPacketSize);
    send(link, { type: qos === 1 ? 'puback' : 'pubrec', packetId, reasonCode: codes.publish, ...told });
    return;
  }
  const text = `${REASONS[refusal.reason].meaning} (ticket ${refusal.ticket})`;
  link.end({ reasonCode: codes.publish, closeCode: codes.closeCode, text, ticket: refusal.ticket, will: true });
}
