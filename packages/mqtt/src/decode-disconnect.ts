import type { ByteReader } from './byte-reader.ts';
import { ANY_VIOLATION } from './decode-failure.ts';
import { readProperties } from './decode-properties.ts';
import type { Auth, Disconnect } from './packets.ts';
import { PLACES } from './properties.ts';
import { isReasonCodeOf } from './reason-codes.ts';

/** Reads DISCONNECT (MQTT 5 section 3.14); below MQTT 5 it has no body. */
export function decodeDisconnect(reader: ByteReader): Disconnect {
  if (reader.version < 5 || reader.remaining === 0) {
    reader.finish();
    return { type: 'disconnect', reasonCode: 0 };
  }
  const reasonCode = readReasonCode(reader, 'disconnect', 'MQTT-3.14.2-1');
  const place = reader.sender === 'client' ? PLACES.disconnectFromClient : PLACES.disconnectFromServer;
  const properties = reader.remaining > 0 ? readProperties(reader, place) : undefined;
  reader.finish();
  return { type: 'disconnect', reasonCode, ...(properties && { properties }) };
}

/** Reads AUTH (MQTT 5 section 3.15). The authentication method may be missing only with everything else. */
export function decodeAuth(reader: ByteReader): Auth {
  if (reader.remaining === 0) {
    checkReasonCode(reader, 0, 'auth', 'MQTT-3.15.2-1');
    return { type: 'auth', reasonCode: 0 };
  }
  const reasonCode = readReasonCode(reader, 'auth', 'MQTT-3.15.2-1');
  const properties = readProperties(reader, PLACES.auth);
  if (properties?.authenticationMethod === undefined) {
    const message = 'AUTH names no authentication method';
    reader.fail('protocol_error', ANY_VIOLATION.five, ANY_VIOLATION.below, message);
  }
  reader.finish();
  return { type: 'auth', reasonCode, ...(properties && { properties }) };
}

function readReasonCode(reader: ByteReader, type: 'disconnect' | 'auth', statement: string): number {
  const code = reader.byte('reason code');
  checkReasonCode(reader, code, type, statement);
  return code;
}

function checkReasonCode(reader: ByteReader, code: number, type: 'disconnect' | 'auth', statement: string): void {
  if (isReasonCodeOf(code, type, 5, reader.sender)) return;
  const message = `a ${reader.sender} may not send ${type.toUpperCase()} with reason code ${code}`;
  reader.fail('protocol_error', statement, ANY_VIOLATION.below, message);
}
