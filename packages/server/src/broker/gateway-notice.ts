import { type DevicePrincipal, REASONS, type Refusal } from '@sallyport/model';
import type { BrokerContext } from './context.ts';
import { dispatchOwned } from './dispatch.ts';
import { serverMessage } from './server-message.ts';

/** Tells a gateway on its notify topic what it was refused (watson-iot.md section 2.7). */
export function notifyGateway(
  context: BrokerContext,
  gateway: DevicePrincipal,
  request: 'Publish' | 'Subscribe',
  topic: string,
  closeCode: number,
  refusal: Refusal,
): void {
  const named = /^[^/]+\/type\/([^/+#]+)\/id\/([^/+#]+)\//.exec(topic);
  const body = {
    Request: request,
    Time: new Date(context.now()).toISOString(),
    Topic: topic,
    ...(named ? { Type: named[1], Id: named[2] } : {}),
    Client: refusal.clientId ?? `g:${gateway.organisation}:${gateway.type}:${gateway.id}`,
    RC: closeCode,
    Message: `${REASONS[refusal.reason].meaning} (ticket ${refusal.ticket})`,
  };
  const message = serverMessage(
    { topic: `iot-2/type/${gateway.type}/id/${gateway.id}/notify`, payload: JSON.stringify(body) },
    context.now(),
  );
  dispatchOwned(context, gateway.organisation, message);
}
