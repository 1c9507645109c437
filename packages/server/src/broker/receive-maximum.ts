import { type QoS, ReasonCode } from '@sallyport/mqtt';
import type { BrokerContext } from './context.ts';
import { CLOSE_CODES } from './ending.ts';
import type { Link } from './link.ts';
import type { Session } from './session.ts';

/**
 * Whether a client has more QoS 1 and 2 messages unfinished than it may (MQTT 5 section 4.9): then its connection is ended. QoS 1 is
 * unfinished while its PUBACK waits for the store or for other workers, QoS 2 until it is released.
 *
 * MQTT 3.1.1 has no such bound for QoS 1: who sends faster than these answer is read more slowly.
 */
export function exceedsReceiveMaximum(context: BrokerContext, session: Session, link: Link, qos: QoS): boolean {
  const { receiveMaximum } = session.limits;
  if ((session.received?.size ?? 0) + (session.pending?.pubacks ?? 0) < receiveMaximum) return false;
  if (qos === 1 && link.version < 5) {
    const { durability, team } = context;
    const saved = new Promise<void>((resolve) => {
      durability.whenSaved(() => (team === undefined ? resolve() : team.whenHeard(resolve)));
    });
    link.wait(saved, () => {});
    return false;
  }
  const text = `More than ${receiveMaximum} messages of QoS 1 and 2 were not finished.`;
  const violation = { reason: 'quota_exceeded', statement: 'MQTT-3.3.4-7', limit: 'receiveMaximum' } as const;
  const closeCode = CLOSE_CODES.closedByServer;
  link.end({ reasonCode: ReasonCode.receiveMaximumExceeded, closeCode, text, will: true, violation });
  return true;
}
