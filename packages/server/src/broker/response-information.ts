import type { Connect } from '@sallyport/mqtt';
import type { Session } from './session.ts';

/**
 * Where answers to the client's requests may go (MQTT 5 section 3.2.2.3.15): told only to who asks [MQTT-3.1.2-28] and may subscribe
 * to everything below it, so that it promises nothing that a policy then refuses.
 */
export function responseInformation(packet: Connect, { clientId, rights }: Session): string | undefined {
  if (packet.properties?.requestResponseInformation !== true || !/^[^/+#\0]{1,256}$/.test(clientId)) return undefined;
  const place = `responses/${clientId}`;
  return rights.permits('subscribe', `${place}/#`) ? place : undefined;
}
