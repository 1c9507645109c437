import type { BrokerContext } from './context.ts';
import { CLOSE_CODES } from './ending.ts';
import { isPubrec, LOST_PUBACK, LOST_PUBREC, REFUSED_PUBACK, REFUSED_PUBREC } from './pending-acks.ts';
import type { Receiver } from './receiver.ts';
import { endForStore, sayReady } from './store-answers.ts';
import { DONE, LOST, type Outcome } from './tickets.ts';

/**
 * Answers a client for whose message other workers had something to do. If one of them did not do it, MQTT 5 is told so; below, where an
 * acknowledgement cannot say no, the connection ends and the client sends again.
 */
export function answerClient(context: BrokerContext, client: Receiver, ticket: number, outcome: Outcome): void {
  const { link, pending } = client;
  if (link === undefined || pending === undefined) return;
  if (outcome !== DONE) {
    let held = false;
    const packetId = pending.turn(ticket, (kind) => {
      held = isPubrec(kind);
      if (outcome === LOST) return held ? LOST_PUBREC : LOST_PUBACK;
      return held ? REFUSED_PUBREC : REFUSED_PUBACK;
    });
    if (packetId === 0) return;
    if (held) context.durability.unhold(client, packetId);
    if (link.version < 5) {
      if (outcome !== LOST) endForStore(link);
      else {
        const text = 'A part of the server ended before it had taken the message.';
        link.end({ reasonCode: undefined, closeCode: CLOSE_CODES.closedByServer, text, will: true });
      }
      return;
    }
  }
  sayReady(context, client);
}
