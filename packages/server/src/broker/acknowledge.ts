import { type PubAck, type PubComp, type PubRec, type PubRel, ReasonCode, writeAck } from '@sallyport/mqtt';
import type { BrokerContext } from './context.ts';
import { CLOSE_CODES } from './ending.ts';
import type { Link } from './link.ts';
import { PUBCOMP, PUBREL } from './pending-acks.ts';
import { closeDelivery, pump } from './pump.ts';
import type { Realm } from './realm.ts';
import type { Session } from './session.ts';
import { AWAITS_PUBACK, AWAITS_PUBCOMP, AWAITS_PUBREC, FREE } from './window.ts';

/** Takes a PUBACK that says yes; one that says no is the end of the message too. */
export function acknowledged(
  context: BrokerContext,
  realm: Realm,
  session: Session,
  link: Link,
  packetId: number,
): void {
  const state = session.window.state(packetId);
  // An identifier that is free is an echo of an earlier connection: not worth a quarrel.
  if (state === AWAITS_PUBACK) complete(context, session, packetId);
  else if (state !== FREE) violated(link, 'puback', packetId);
  if (!session.upToDate) pump(context, session, realm.retained);
}

/** Takes an acknowledgement of the client (MQTT 5 section 4.3), and sends what may follow. */
export function acknowledge(
  context: BrokerContext,
  realm: Realm,
  session: Session,
  link: Link,
  packet: PubAck | PubRec | PubRel | PubComp,
): void {
  const { window } = session;
  const { durability } = context;
  const { packetId } = packet;
  const state = window.state(packetId);
  switch (packet.type) {
    case 'puback':
      acknowledged(context, realm, session, link, packetId);
      return;
    case 'pubrec':
      if (state === AWAITS_PUBREC && packet.reasonCode >= 0x80) complete(context, session, packetId);
      else if (state === AWAITS_PUBREC || state === AWAITS_PUBCOMP) {
        if (state === AWAITS_PUBREC) release(context, session, packetId);
        // Before the store knows it, a restart would send the message again to a client that has let go of it.
        durability.acknowledge(session, link, PUBREL, packetId, session.storeId === 0 ? 0 : durability.store.written);
      } else if (state === FREE) {
        writeAck(link.slab, 'pubrel', packetId, ReasonCode.packetIdentifierNotFound, link.version);
        link.touch();
      } else violated(link, packet.type, packetId);
      break;
    case 'pubcomp':
      if (state === AWAITS_PUBCOMP) complete(context, session, packetId);
      else if (state !== FREE) violated(link, packet.type, packetId);
      break;
    case 'pubrel': {
      if (durability.unhold(session, packetId)) {
        const sequence = session.storeId === 0 ? 0 : durability.store.written;
        durability.acknowledge(session, link, PUBCOMP, packetId, sequence);
      } else {
        writeAck(link.slab, 'pubcomp', packetId, ReasonCode.packetIdentifierNotFound, link.version);
        link.touch();
      }
      return;
    }
  }
  if (!session.upToDate) pump(context, session, realm.retained);
}

function release({ durability }: BrokerContext, { window }: Session, packetId: number): void {
  durability.release(window.position(packetId), window.message(packetId), AWAITS_PUBCOMP);
  window.release(packetId);
}

function complete(context: BrokerContext, session: Session, packetId: number): void {
  closeDelivery(context, session, packetId);
  if (session.quota < session.receiveMaximum) session.quota++;
}

function violated(link: Link, type: string, packetId: number): void {
  link.end({
    reasonCode: ReasonCode.protocolError,
    closeCode: CLOSE_CODES.closedByServer,
    text: `A ${type} came for packet identifier ${packetId}, which awaits another acknowledgement.`,
    will: true,
    violation: { reason: 'protocol_error' },
  });
}
