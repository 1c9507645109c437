import type { PublishFrame } from '@sallyport/mqtt';
import type { Attendant, Overheard } from './attend.ts';
import type { BrokerContext } from './context.ts';
import { denyPublish, refusalFor } from './denial.ts';
import type { Link } from './link.ts';
import { PUBACK, PUBREC } from './pending-acks.ts';
import type { Session } from './session.ts';

/** Lets the server hear a message. True if it goes no further. */
export function attended(
  context: BrokerContext,
  session: Session,
  link: Link,
  { bytes, qos, packetId, payloadStart, payloadEnd }: PublishFrame,
  topic: string,
  attendant: Attendant,
): boolean {
  const { organisation, clientId, presence, principal, assurance, lastAddress: address } = session;
  const payload = Uint8Array.prototype.slice.call(bytes, payloadStart, payloadEnd);
  const answer = attendant({ organisation, clientId, presence, principal, address, assurance, payload });
  if (answer === 'passed') return false;
  if (answer === 'refused') {
    denyPublish(context, session, link, topic, qos, packetId, refusalFor(context, session, 'publish', topic));
    return true;
  }
  if (qos === 0) return true;
  const { durability } = context;
  if (qos === 2) durability.hold(session, packetId);
  const sequence = qos === 2 && session.storeId > 0 ? durability.store.written : 0;
  durability.acknowledge(session, link, qos === 1 ? PUBACK : PUBREC, packetId, sequence);
  return true;
}

/** Lets the server hear a message that others are told. */
export function overhear(
  { organisation, principal }: Session,
  { bytes, payloadStart, payloadEnd }: PublishFrame,
  listener: (heard: Overheard) => void,
): void {
  listener({ organisation, principal, payload: Uint8Array.prototype.slice.call(bytes, payloadStart, payloadEnd) });
}
