import { clientIdOf, UNLOCK_COMMAND } from '@sallyport/model';
import type { Attached } from './attached.ts';
import { AttachedProtections, type ProtectAttached } from './attached-protections.ts';
import type { CommandVerdict } from './command-guard.ts';
import type { Command, Device, DeviceOptions, PublishOptions } from './connect-device.ts';
import { type Content, decodeContent, encodeContent, topicLevel } from './content.ts';
import { deviceCredential } from './device-credential.ts';
import { Link } from './link.ts';
import { namedOptions } from './link-check.ts';
import { reply } from './reply.ts';
import { admission } from './unlock.ts';

export interface GatewayOptions extends Omit<DeviceOptions, 'protection' | 'outbox' | 'insecureSamplePayloads'> {
  /** Keys that the gateway holds for devices that cannot hold their own, and for itself; without it everything is passed on as it is. */
  readonly protection?: ProtectAttached;
}

/** A command for a device that is attached to the gateway, or for the gateway. */
export interface AttachedCommand extends Command {
  readonly device: Attached;
}

/** A connected gateway: a device that also speaks for the devices attached to it. */
export interface Gateway extends Omit<Device, 'publishEvent' | 'onCommand' | 'onVerdict'> {
  publishEvent(device: Attached, name: string, payload: Content, options?: PublishOptions): Promise<void>;
  /**
   * Calls the handler for every command to an attached device and to the gateway. What it answers goes back, in the name of the device that
   * was asked, to an application that made a request of it.
   */
  onCommand(handler: (command: AttachedCommand) => unknown): Promise<void>;
  /** With protection: hears what became of every command, the ignored ones too. */
  onVerdict(listener: (device: Attached, verdict: CommandVerdict) => void): void;
}

/**
 * Connects a gateway, over verified TLS.
 *
 * @throws RefusedByServer `connection_refused` with reason code and ticket
 * @throws Failure `server_unreachable`, `server_not_trusted`, `key_material_invalid`
 */
export async function connectGateway(options: GatewayOptions): Promise<Gateway> {
  const { organisation, type, id, ca, onUnlockRequired } = namedOptions(options, ['organisation', 'type', 'id']);
  const clientId = clientIdOf({ kind: 'gateway', organisation, type, id });
  const own = admission(`iot-2/type/${type}/id/${id}`, options);
  const link = await Link.open(options, deviceCredential(clientId, options), own);
  const listeners = new Set<(device: Attached, verdict: CommandVerdict) => void>();
  const gateway = { organisation, type, id, ...(ca === undefined ? {} : { ca }) };
  const protections =
    options.protection &&
    new AttachedProtections(gateway, options.protection, (device, name, format, bytes) =>
      link.publish(eventTopic(device, name, format), bytes, 1),
    );

  /** The command as it may be followed; undefined if it may not be. */
  async function guarded(device: Attached, name: string, format: string, bytes: Uint8Array) {
    const protection = name === UNLOCK_COMMAND ? undefined : await protections?.of(device);
    if (protection === undefined) return { name, format, payload: decodeContent(bytes, format) };
    const tell = (verdict: CommandVerdict) => {
      for (const listener of listeners) listener(device, verdict);
    };
    const command = await protection.follow(name, format, bytes, tell);
    if (command === undefined) return undefined;
    const { application, content } = command;
    return { name, format: command.format, application, payload: decodeContent(content, command.format) };
  }

  return {
    clientId,
    closed: link.closed,
    async publishEvent(device, name, payload, { qos = 1, format, signal } = {}) {
      const encoded = encodeContent(payload, format);
      const how = { qos, ...(signal !== undefined && { signal }) };
      const protection = await protections?.of(device);
      const sealed = (await protection?.sealed(name, encoded)) ?? [encoded];
      for (const each of sealed) await link.publish(eventTopic(device, name, each.format), each.bytes, how);
    },
    async onCommand(handler) {
      await link.subscribe('iot-2/type/+/id/+/cmd/+/fmt/+', 1, async (topic, bytes, properties) => {
        const [, , ofType = '', , ofId = '', , name = '', , format = ''] = topic.split('/');
        if (name === UNLOCK_COMMAND && onUnlockRequired !== undefined) return;
        const device = { type: ofType, id: ofId };
        const command = await guarded(device, name, format, bytes);
        if (command === undefined) return;
        const answer = await handler({ device, ...command });
        await reply(link, answer, properties, await protections?.of(device), scopeOf(device));
      });
    },
    onVerdict: (listener) => void listeners.add(listener),
    on: (event, listener) => link.on(event, listener),
    close: () => link.close(),
  };
}

function eventTopic(device: Attached, name: string, format: string): string {
  return `${scopeOf(device)}/evt/${topicLevel('name of an event', name)}/fmt/${topicLevel('format', format)}`;
}

function scopeOf({ type, id }: Attached): string {
  return `iot-2/type/${topicLevel('type of a device', type)}/id/${topicLevel('id of a device', id)}`;
}
