import { isUtf8 } from 'node:buffer';
import { type PublishFrame, ReasonCode } from '@sallyport/mqtt';
import type { BrokerContext } from './context.ts';
import { CLOSE_CODES } from './ending.ts';
import type { Link } from './link.ts';
import { send, ticketProperties } from './send.ts';
import type { Session } from './session.ts';
import { ticketOf } from './violation.ts';

const TEXT = 'The payload format indicator says UTF-8 and the payload is something else.';
const VIOLATION = { reason: 'payload_format_invalid' } as const;

/** Whether a payload is what its indicator says. Receivers may rely on it, so it is looked at once, here. */
export function hasItsFormat({ payloadFormatIndicator, bytes, payloadStart, payloadEnd }: PublishFrame): boolean {
  return payloadFormatIndicator === 0 || isUtf8(bytes.subarray(payloadStart, payloadEnd));
}

/** Answers a payload that is not what it says it is (MQTT 5 section 3.3.2.3.2); at QoS 0 there is no answer but to end. */
export function refuseFormat(context: BrokerContext, session: Session, link: Link, frame: PublishFrame): void {
  const { qos, packetId } = frame;
  const reasonCode = ReasonCode.payloadFormatInvalid;
  if (qos === 0) {
    link.end({ reasonCode, closeCode: CLOSE_CODES.closedByServer, text: TEXT, will: true, violation: VIOLATION });
    return;
  }
  const ending = { reasonCode, closeCode: CLOSE_CODES.closedByServer, text: TEXT, will: true, violation: VIOLATION };
  const told = ticketProperties(link, ticketOf(context, session, link.facts, ending), session.maximumPacketSize);
  send(link, { type: qos === 1 ? 'puback' : 'pubrec', packetId, reasonCode, ...told });
}
