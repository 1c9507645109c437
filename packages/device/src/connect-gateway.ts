import { clientIdOf, UNLOCK_COMMAND } from '@sallyport/model';
import type { Command, Device, DeviceOptions, PublishOptions } from './connect-device.ts';
import { type Content, decodeContent, encodeContent, topicLevel } from './content.ts';
import { deviceCredential } from './device-credential.ts';
import { Link } from './link.ts';
import { admission } from './unlock.ts';

/** A device that a gateway speaks for, or the gateway itself. */
export interface Attached {
  readonly type: string;
  readonly id: string;
}

/** A command for a device that is attached to the gateway, or for the gateway. */
export interface AttachedCommand extends Command {
  readonly device: Attached;
}

/** A connected gateway: a device that also speaks for the devices attached to it. */
export interface Gateway extends Omit<Device, 'publishEvent' | 'onCommand' | 'onVerdict'> {
  publishEvent(device: Attached, name: string, payload: Content, options?: PublishOptions): Promise<void>;
  /** Calls the handler for every command to an attached device and to the gateway. */
  onCommand(handler: (command: AttachedCommand) => void | Promise<void>): Promise<void>;
}

/**
 * Connects a gateway, over verified TLS.
 *
 * @throws RefusedByServer `connection_refused` with reason code and ticket
 * @throws Failure `server_unreachable`, `server_not_trusted`, `key_material_invalid`
 */
export async function connectGateway(options: Omit<DeviceOptions, 'protection' | 'outbox'>): Promise<Gateway> {
  const { organisation, type, id, onUnlockRequired } = options;
  const clientId = clientIdOf({ kind: 'gateway', organisation, type, id });
  const own = admission(`iot-2/type/${type}/id/${id}`, options);
  const link = await Link.open(options, deviceCredential(clientId, options), own);
  return {
    clientId,
    closed: link.closed,
    async publishEvent(device, name, payload, { qos = 1, format, signal } = {}) {
      const encoded = encodeContent(payload, format);
      const scope = `type/${topicLevel('type of a device', device.type)}/id/${topicLevel('id of a device', device.id)}`;
      const event = `evt/${topicLevel('name of an event', name)}/fmt/${topicLevel('format', encoded.format)}`;
      await link.publish(`iot-2/${scope}/${event}`, encoded.bytes, {
        qos,
        ...(signal !== undefined && { signal }),
      });
    },
    async onCommand(handler) {
      await link.subscribe('iot-2/type/+/id/+/cmd/+/fmt/+', 1, async (topic, bytes) => {
        const [, , ofType = '', , ofId = '', , name = '', , format = ''] = topic.split('/');
        if (name === UNLOCK_COMMAND && onUnlockRequired !== undefined) return;
        await handler({ device: { type: ofType, id: ofId }, name, format, payload: decodeContent(bytes, format) });
      });
    },
    on: (event, listener) => link.on(event, listener),
    close: () => link.close(),
  };
}
