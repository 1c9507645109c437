import { type PubAck, type PubComp, type PubRec, type PubRel, ReasonCode, writeAck } from '@sallyport/mqtt';
import type { BrokerContext } from './context.ts';
import { CLOSE_CODES } from './ending.ts';
import type { Link } from './link.ts';
import { pump } from './pump.ts';
import type { Realm } from './realm.ts';
import type { Session } from './session.ts';
import { AWAITS_PUBACK, AWAITS_PUBCOMP, AWAITS_PUBREC, FREE } from './window.ts';

/** Takes an acknowledgement of the client (MQTT 5 section 4.3), and sends what may follow. */
export function acknowledge(
  context: BrokerContext,
  realm: Realm,
  session: Session,
  link: Link,
  packet: PubAck | PubRec | PubRel | PubComp,
): void {
  const { window } = session;
  const { packetId } = packet;
  const state = window.state(packetId);
  switch (packet.type) {
    case 'puback':
      // An identifier that is free is an echo of an earlier connection: not worth a quarrel.
      if (state === AWAITS_PUBACK) complete(session, packetId);
      else if (state !== FREE) violated(link, packet.type, packetId);
      break;
    case 'pubrec':
      if (state === AWAITS_PUBREC && packet.reasonCode >= 0x80) complete(session, packetId);
      else if (state === AWAITS_PUBREC || state === AWAITS_PUBCOMP) {
        if (state === AWAITS_PUBREC) window.release(packetId);
        writeAck(link.slab, 'pubrel', packetId, 0, link.version);
        link.touch();
      } else if (state === FREE) {
        writeAck(link.slab, 'pubrel', packetId, ReasonCode.packetIdentifierNotFound, link.version);
        link.touch();
      } else violated(link, packet.type, packetId);
      break;
    case 'pubcomp':
      if (state === AWAITS_PUBCOMP) complete(session, packetId);
      else if (state !== FREE) violated(link, packet.type, packetId);
      break;
    case 'pubrel': {
      const known = session.received?.delete(packetId) ?? false;
      writeAck(link.slab, 'pubcomp', packetId, known ? 0 : ReasonCode.packetIdentifierNotFound, link.version);
      link.touch();
      return;
    }
  }
  if (!session.upToDate) pump(context, session, realm.retained);
}

function complete(session: Session, packetId: number): void {
  session.window.close(packetId);
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
