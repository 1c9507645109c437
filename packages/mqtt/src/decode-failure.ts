import type { ProtocolVersion } from './packets.ts';

export type DecodeFailureCode =
  | 'malformed_packet'
  | 'protocol_error'
  | 'packet_too_large'
  | 'unsupported_protocol_version'
  | 'client_identifier_not_valid';

/** Why bytes were refused. The connection cannot go on: after this, where the next packet starts is unknown. */
export interface DecodeFailure {
  readonly code: DecodeFailureCode;
  /** MQTT 5 reason code for CONNACK or DISCONNECT. */
  readonly reasonCode: number;
  /** Normative statement that was violated, e.g. `MQTT-3.1.2-3`; of MQTT 5 on its connections, else of MQTT 3.1.1. */
  readonly statement: string;
  /** Names fields and numbers, never their content: safe for logs. */
  readonly message: string;
  readonly packetType?: string;
}

const REASON_CODES: Record<DecodeFailureCode, number> = {
  malformed_packet: 0x81,
  protocol_error: 0x82,
  packet_too_large: 0x95,
  unsupported_protocol_version: 0x84,
  client_identifier_not_valid: 0x85,
};

/** The statements that apply where no narrower one has an id: close the connection on any violation. */
export const ANY_VIOLATION = { five: 'MQTT-4.13.1-1', below: 'MQTT-4.8.0-1' } as const;

/** Makes the failure, with the statement of the connection's version. */
export function decodeFailure(
  code: DecodeFailureCode,
  version: ProtocolVersion,
  statementOf5: string,
  statementBelow5: string,
  message: string,
  packetType: string | undefined,
): DecodeFailure {
  const failure = {
    code,
    reasonCode: REASON_CODES[code],
    statement: version === 5 ? statementOf5 : statementBelow5,
    message,
  };
  return packetType === undefined ? failure : { ...failure, packetType };
}
