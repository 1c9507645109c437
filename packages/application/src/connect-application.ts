import {
  type Content,
  decodeContent,
  encodeContent,
  Link,
  type LinkEvents,
  type LinkListener,
  type LinkOptions,
  type PublishOptions,
  topicLevel,
} from '@sallyport/device';
import { clientIdOf, type Failure } from '@sallyport/model';
import { type ConnectionStatus, connectionStatus } from './connection-status.ts';

export interface ApplicationOptions extends LinkOptions {
  readonly organisation: string;
  /** Id of the application; becomes the client id, so each running program needs one of its own. */
  readonly id: string;
  /** API key, `a-ORGANISATION-…`. */
  readonly key: string;
  readonly token: string;
}

/** A device of the organisation. */
export interface DeviceName {
  readonly type: string;
  readonly id: string;
}

/** What a device said. */
export interface Event {
  readonly device: DeviceName;
  readonly name: string;
  readonly format: string;
  /** The JSON value for the format `json`, else bytes. */
  readonly payload: Content;
}

/** Which messages to receive; what is absent is not asked about. */
export interface EventSelection {
  readonly type?: string;
  readonly device?: string;
  readonly event?: string;
}

/** A connected application. */
export interface Application {
  readonly clientId: string;
  /** Calls the handler for every event that fits. Resolves when the server has granted the subscription. */
  subscribeEvents(selection: EventSelection, handler: (event: Event) => void | Promise<void>): Promise<void>;
  /** Calls the handler for every connection, disconnection and refused connection of the devices that fit. */
  subscribeStatus(
    selection: Omit<EventSelection, 'event'>,
    handler: (status: ConnectionStatus) => void | Promise<void>,
  ): Promise<void>;
  sendCommand(device: DeviceName, name: string, payload: Content, options?: PublishOptions): Promise<void>;
  /** Subscribes to any topic filter; the server decides whether it may. */
  subscribe(filter: string, handler: (topic: string, payload: Uint8Array) => void | Promise<void>): Promise<void>;
  on<T extends keyof LinkEvents>(event: T, listener: LinkListener<T>): void;
  close(): Promise<void>;
  /** Resolves when the connection has ended for good: with nothing after `close()`, else with the reason. */
  readonly closed: Promise<Failure | undefined>;
}

/**
 * Connects an application with its key and token, over verified TLS.
 *
 * @throws RefusedByServer `connection_refused` with reason code and ticket
 * @throws Failure `server_unreachable`, `server_not_trusted`, `key_material_invalid`
 */
export async function connectApplication(options: ApplicationOptions): Promise<Application> {
  const { organisation, id, key, token } = options;
  const clientId = clientIdOf({ kind: 'application', organisation, id });
  const link = await Link.open(options, { clientId, username: key, password: token });
  return {
    clientId,
    closed: link.closed,
    async subscribeEvents(selection, handler) {
      const event = selection.event === undefined ? '+' : topicLevel('name of an event', selection.event);
      await link.subscribe(`${devices(selection)}/evt/${event}/fmt/+`, 1, (topic, bytes) => {
        const [, , type = '', , device = '', , name = '', , format = ''] = topic.split('/');
        return handler({ device: { type, id: device }, name, format, payload: decodeContent(bytes, format) });
      });
    },
    async subscribeStatus(selection, handler) {
      await link.subscribe(`${devices(selection)}/mon`, 0, (topic, bytes) => handler(connectionStatus(topic, bytes)));
    },
    async sendCommand(device, name, payload, { qos = 1, format } = {}) {
      const encoded = encodeContent(payload, format);
      const scope = `type/${topicLevel('type of a device', device.type)}/id/${topicLevel('id of a device', device.id)}`;
      const command = `cmd/${topicLevel('name of a command', name)}/fmt/${topicLevel('format', encoded.format)}`;
      await link.publish(`iot-2/${scope}/${command}`, encoded.bytes, qos);
    },
    subscribe: (filter, handler) => link.subscribe(filter, 1, handler),
    on: (event, listener) => link.on(event, listener),
    close: () => link.close(),
  };
}

function devices({ type, device }: EventSelection): string {
  const typeLevel = type === undefined ? '+' : topicLevel('type of a device', type);
  return `iot-2/type/${typeLevel}/id/${device === undefined ? '+' : topicLevel('id of a device', device)}`;
}
