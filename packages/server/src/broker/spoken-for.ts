import { REASONS, type Refusal } from '@sallyport/model';
import type { BrokerContext } from './context.ts';
import { boundedRefusal } from './denial.ts';
import type { DeviceAnswer, NotForGateway } from './gateway-devices.ts';
import type { Session } from './session.ts';

const NAMED = /^(?:iot-2|iotdevice-1|iotdm-1)\/type\/([^/+#]+)\/id\/([^/+#]+)\//;

/** Whether a session may speak for, or listen for, the device that a full topic or filter names. Only gateways name others. */
export function askForNamed(
  { askForDevice }: BrokerContext,
  { principal, grounds }: Session,
  topic: string,
): DeviceAnswer | Promise<DeviceAnswer> {
  if (askForDevice === undefined || principal.kind !== 'gateway') return 'registered';
  const [, type, id] = NAMED.exec(topic) ?? [];
  if (type === undefined || id === undefined) return 'registered';
  if (type === principal.type && id === principal.id) return 'registered';
  return askForDevice(principal, grounds.roles, { organisation: principal.organisation, type, id });
}

/** The refusal of what a gateway wanted for a device that it may not speak for. */
export function notForGateway(
  context: BrokerContext,
  session: Session,
  action: 'publish' | 'subscribe',
  resource: string,
  { reason, text, cure }: NotForGateway,
): Refusal {
  const row = REASONS[reason];
  return boundedRefusal(context, session, action, () =>
    context.refuse({
      action,
      reason,
      reasonCode: row.reasonCode,
      organisation: session.organisation,
      principal: session.principalName,
      clientId: session.clientId,
      address: session.lastAddress,
      resource,
      steps: [{ stage: row.stage, outcome: 'failed', text }],
      cure: cure ?? row.cure,
    }),
  );
}
