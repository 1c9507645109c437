import { REASONS, type Refusal, type RefusalReason } from '@sallyport/model';
import { type ProtocolVersion, ReasonCode } from '@sallyport/mqtt';
import { CLOSE_CODES } from './ending.ts';

/** Reason codes that exist for DISCONNECT but not for CONNACK (MQTT 5 table 3-1), and what is said in their place. */
const CONNACK_INSTEAD: Readonly<Record<number, number>> = {
  [ReasonCode.serverShuttingDown]: ReasonCode.serverUnavailable,
};

/** What CONNACK says to a client that is refused: coarse, the exact reason is kept under the ticket. */
export function connackCode(reason: RefusalReason, version: ProtocolVersion): number {
  const row = REASONS[reason];
  return version === 5 ? (CONNACK_INSTEAD[row.reasonCode] ?? row.reasonCode) : row.connack3;
}

/** How a refused publish or subscribe is told. */
export interface DenialCodes {
  readonly publish: number;
  readonly subscribe: number;
  readonly closeCode: number;
}

/**
 * The codes for a topic that may not be used. On the Watson IoT Platform a topic outside its rules is an invalid name
 * (watson-iot.md section 2.6), anything else is a matter of rights.
 */
export function denialCodes(refusal: Refusal, watson: boolean): DenialCodes {
  if (refusal.reason === 'quota_exceeded') {
    return {
      publish: ReasonCode.quotaExceeded,
      subscribe: ReasonCode.quotaExceeded,
      closeCode: CLOSE_CODES.closedByServer,
    };
  }
  if (REASONS[refusal.reason].reasonCode === ReasonCode.payloadFormatInvalid) {
    return {
      publish: ReasonCode.payloadFormatInvalid,
      subscribe: ReasonCode.notAuthorized,
      closeCode: CLOSE_CODES.closedByServer,
    };
  }
  if (watson && refusal.reason === 'topic_not_permitted') {
    return {
      publish: ReasonCode.topicNameInvalid,
      subscribe: ReasonCode.notAuthorized,
      closeCode: CLOSE_CODES.badTopic,
    };
  }
  return {
    publish: ReasonCode.notAuthorized,
    subscribe: ReasonCode.notAuthorized,
    closeCode: CLOSE_CODES.notAuthorised,
  };
}

/** What is said to a peer about its refusal in MQTT 5: the ticket, nothing else. */
export function ticketText(ticket: string): string {
  return `ticket ${ticket}`;
}
