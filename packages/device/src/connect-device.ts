import { clientIdOf, type Failure } from '@sallyport/model';
import { type Content, decodeContent, encodeContent, topicLevel } from './content.ts';
import { Link } from './link.ts';
import type { LinkEvents, LinkListener, LinkOptions } from './link-options.ts';

export interface DeviceOptions extends LinkOptions {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
  readonly token: string;
}

/** What an application asked of this device. */
export interface Command {
  readonly name: string;
  readonly format: string;
  /** The JSON value for the format `json`, else bytes. */
  readonly payload: Content;
}

export interface PublishOptions {
  /** 1 by default: resolved when the server owns the message, rejected when it was refused. */
  readonly qos?: 0 | 1 | 2;
  /** Last level of the topic; `json` for values and `bin` for bytes by default. */
  readonly format?: string;
}

/** A connected device. */
export interface Device {
  readonly clientId: string;
  publishEvent(name: string, payload: Content, options?: PublishOptions): Promise<void>;
  /** Calls the handler for commands of this name, or for all with `+`. Resolves when the server has granted the subscription. */
  onCommand(name: string, handler: (command: Command) => void | Promise<void>): Promise<void>;
  on<T extends keyof LinkEvents>(event: T, listener: LinkListener<T>): void;
  close(): Promise<void>;
  /** Resolves when the connection has ended for good: with nothing after `close()`, else with the reason. */
  readonly closed: Promise<Failure | undefined>;
}

/**
 * Connects a device with its token, over verified TLS.
 *
 * @throws RefusedByServer `connection_refused` with reason code and ticket
 * @throws Failure `server_unreachable`, `server_not_trusted`, `key_material_invalid`
 */
export async function connectDevice(options: DeviceOptions): Promise<Device> {
  const { organisation, type, id, token } = options;
  const clientId = clientIdOf({ kind: 'device', organisation, type, id });
  const link = await Link.open(options, { clientId, username: 'use-token-auth', password: token });
  const handlers = new Map<string, Set<(command: Command) => void | Promise<void>>>();
  let subscribed: Promise<void> | undefined;

  const receive = async (topic: string, bytes: Uint8Array): Promise<void> => {
    const [, , name = '', , format = ''] = topic.split('/');
    const chosen = [...(handlers.get(name) ?? []), ...(handlers.get('+') ?? [])];
    if (chosen.length === 0) return;
    const payload = decodeContent(bytes, format);
    for (const handler of chosen) await handler({ name, format, payload });
  };

  return {
    clientId,
    closed: link.closed,
    async publishEvent(name, payload, { qos = 1, format } = {}) {
      const encoded = encodeContent(payload, format);
      const topic = `iot-2/evt/${topicLevel('name of an event', name)}/fmt/${topicLevel('format', encoded.format)}`;
      await link.publish(topic, encoded.bytes, qos);
    },
    async onCommand(name, handler) {
      if (name !== '+') topicLevel('name of a command', name);
      const sameName = handlers.get(name) ?? new Set();
      handlers.set(name, sameName.add(handler));
      // One subscription for all names: overlapping ones would bring a command twice.
      subscribed ??= link.subscribe('iot-2/cmd/+/fmt/+', 1, receive);
      await subscribed;
    },
    on: (event, listener) => link.on(event, listener),
    close: () => link.close(),
  };
}
