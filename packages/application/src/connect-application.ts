import {
  type Content,
  decodeContent,
  encodeContent,
  type InsecureSampleKey,
  isInsecureSamplePayload,
  Link,
  type LinkEvents,
  type LinkListener,
  type LinkOptions,
  type MessageProperties,
  namedOptions,
  type PublishOptions,
  REPLY_EVENT,
  readInsecureSamplePayload,
  sealedEncoding,
  topicLevel,
} from '@sallyport/device';
import { clientIdOf, type Failure, IDENTITY_MESSAGE, REFUSAL_MESSAGE } from '@sallyport/model';
import { type ApplicationCredential, applicationCredential } from './application-credential.ts';
import { type ConnectionStatus, connectionStatus } from './connection-status.ts';
import type { DeviceName } from './device-name.ts';
import type { ApplicationProtection, CommandSigner, DeviceRefusal } from './protection.ts';
import { type RequestOptions, Requests } from './requests.ts';

export interface ApplicationOptions extends LinkOptions, ApplicationCredential {
  readonly organisation: string;
  /** Id of the application; becomes the client id, so each running program needs one of its own. */
  readonly id: string;
  /** Signs every command, and opens what devices seal; without it commands go as they are. */
  readonly protection?: ApplicationProtection;
  /** LEGACY. Reads events that devices of the published samples have written under the key that they share. */
  readonly insecureSamplePayloads?: InsecureSampleKey;
}

/** What a device said. */
export interface Event {
  readonly device: DeviceName;
  readonly name: string;
  readonly format: string;
  /** The JSON value for the format `json`, else bytes. */
  readonly payload: Content;
  /** True if nobody between the device and this application could read it. */
  readonly sealed?: boolean;
}

export interface CommandOptions extends PublishOptions {
  /** Seal it, or not; as `protection.sealCommands` says if left out. */
  readonly seal?: boolean;
  /** Milliseconds after which it is worth nothing; as `protection.commandLifetime` says if left out. */
  readonly lifetime?: number;
}

/** A command on its way. */
export interface SentCommand {
  /** What a refusal of the device calls it; absent without protection. */
  readonly message?: string;
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
  /** Resolves when the server owns it. With protection it is signed, and the device is shown the keys first. */
  sendCommand(device: DeviceName, name: string, payload: Content, options?: CommandOptions): Promise<SentCommand>;
  /**
   * Sends a command and waits for the answer of the device's handler. MQTT 5 on both sides. `P` is what the program takes the answer for; nobody
   * checks it.
   */
  request<P = Content>(device: DeviceName, name: string, payload: Content, options?: RequestOptions): Promise<P>;
  /** With protection: calls the handler when a device says, by its signature, that it did not follow a command. */
  onRefusal(handler: (refusal: DeviceRefusal) => void | Promise<void>): void;
  /** With protection: calls the handler for each sealed event of `subscribeEvents` that this application has no key for; its payload is what came. */
  onUnreadable(handler: (event: Event) => void | Promise<void>): void;
  /** Subscribes to any topic filter; the server decides whether it may. */
  subscribe(filter: string, handler: (topic: string, payload: Uint8Array) => void | Promise<void>): Promise<void>;
  /** Publishes on any topic, as it is; the server decides whether it may. Resolves when the server owns it. */
  publish(topic: string, payload: Uint8Array): Promise<void>;
  on<T extends keyof LinkEvents>(event: T, listener: LinkListener<T>): void;
  close(): Promise<void>;
  /** Resolves when the connection has ended for good: with nothing after `close()`, else with the reason. */
  readonly closed: Promise<Failure | undefined>;
}

/**
 * Connects an application, over verified TLS.
 *
 * @throws RefusedByServer `connection_refused` with reason code and ticket
 * @throws Failure `server_unreachable`, `server_not_trusted`, `server_not_proven`, `key_material_invalid`, `invalid_request`, `token_refused`,
 * `token_unavailable`
 */
export async function connectApplication(options: ApplicationOptions): Promise<Application> {
  const { organisation, id } = namedOptions(options, ['organisation', 'id']);
  const clientId = clientIdOf({ kind: 'application', organisation, id });
  const signer = options.protection && (await openSigner(options.protection, options));
  const link = await Link.open(options, applicationCredential(clientId, options));
  const refusals = new Set<(refusal: DeviceRefusal) => void | Promise<void>>();
  const unreadable = new Set<EventHandler>();
  if (signer !== undefined) await listenToDevices(link, signer, refusals);
  const requests = new Requests(link, signer && ((device, format, bytes) => openReply(signer, device, format, bytes)));

  async function send(
    device: DeviceName,
    name: string,
    payload: Content,
    { qos = 1, format, signal, ...how }: CommandOptions,
    properties?: MessageProperties,
  ): Promise<SentCommand> {
    const encoded = encodeContent(payload, format);
    const scope = `type/${topicLevel('type of a device', device.type)}/id/${topicLevel('id of a device', device.id)}`;
    const command = `cmd/${topicLevel('name of a command', name)}/fmt/${topicLevel('format', encoded.format)}`;
    const along = { qos, ...(signal !== undefined && { signal }), ...(properties !== undefined && { properties }) };
    if (signer === undefined) {
      await link.publish(`iot-2/${scope}/${command}`, encoded.bytes, along);
      return {};
    }
    const introduction = signer.introduction(device);
    if (introduction !== undefined) await link.publish(introduction.topic, introduction.bytes, 1);
    const ready = await signer.protect(device, name, encoded, how);
    const message = await signer.idOf(ready);
    await link.publish(ready.topic, ready.bytes, along);
    return { message };
  }

  return {
    clientId,
    closed: link.closed,
    async subscribeEvents(selection, handler) {
      const event = selection.event === undefined ? '+' : topicLevel('name of an event', selection.event);
      await link.subscribe(`${devices(selection)}/evt/${event}/fmt/+`, 1, (topic, bytes) => {
        const [, , type = '', , device = '', , name = '', , format = ''] = topic.split('/');
        const from = { type, id: device };
        if (signer === undefined) return readEvent(options, { device: from, name, format }, bytes, handler);
        return openEvent(signer, { device: from, name, format, payload: bytes }, handler, unreadable);
      });
    },
    async subscribeStatus(selection, handler) {
      await link.subscribe(`${devices(selection)}/mon`, 0, (topic, bytes) => handler(connectionStatus(topic, bytes)));
    },
    sendCommand: (device, name, payload, options = {}) => send(device, name, payload, options),
    request: async <P>(device: DeviceName, name: string, payload: Content, options: RequestOptions = {}) => {
      const { format, signal } = options;
      const how = { ...(format !== undefined && { format }), ...(signal !== undefined && { signal }) };
      return (await requests.ask(device, (properties) => send(device, name, payload, how, properties), options)) as P;
    },
    onRefusal: (handler) => void refusals.add(handler),
    onUnreadable: (handler) => void unreadable.add(handler),
    subscribe: (filter, handler) => link.subscribe(filter, 1, handler),
    publish: (topic, payload) => link.publish(topic, payload, 1),
    on: (event, listener) => link.on(event, listener),
    async close() {
      await link.close();
      await signer?.close();
    },
  };
}

/** Loaded on demand: it is large, and many pages in browsers go without. */
async function openSigner(protection: ApplicationProtection, options: ApplicationOptions): Promise<CommandSigner> {
  const { CommandSigner } = await import('./protection.ts');
  return CommandSigner.open(protection, options);
}

/** Keys that devices show, and commands that they refuse. */
async function listenToDevices(
  link: Link,
  signer: CommandSigner,
  refusals: ReadonlySet<(refusal: DeviceRefusal) => void | Promise<void>>,
): Promise<void> {
  try {
    await link.subscribe(`iot-2/type/+/id/+/evt/${IDENTITY_MESSAGE}/fmt/+`, 1, async (topic, bytes) => {
      await signer.meet(topic.split('/').at(-1) ?? '', bytes);
    });
    await link.subscribe(`iot-2/type/+/id/+/evt/${REFUSAL_MESSAGE}/fmt/+`, 1, async (topic, bytes) => {
      const [, , type = '', , id = '', , , , format = ''] = topic.split('/');
      const refusal = await signer.refusal({ type, id }, format, bytes);
      if (refusal !== undefined) for (const handler of refusals) await handler(refusal);
    });
  } catch (failure) {
    await link.close();
    throw failure;
  }
}

type EventHandler = (event: Event) => void | Promise<void>;

async function readEvent(
  { insecureSamplePayloads: key }: ApplicationOptions,
  facts: Omit<Event, 'payload'>,
  bytes: Uint8Array,
  handler: (event: Event) => void | Promise<void>,
): Promise<void> {
  const payload = decodeContent(bytes, facts.format);
  if (key === undefined || !isInsecureSamplePayload(payload)) return handler({ ...facts, payload });
  return handler({ ...facts, payload: await readInsecureSamplePayload(payload, key) });
}

async function openReply(signer: CommandSigner, device: DeviceName, format: string, bytes: Uint8Array) {
  return sealedEncoding(format) === undefined ? { format, bytes } : signer.open(device, REPLY_EVENT, format, bytes);
}

async function openEvent(
  signer: CommandSigner,
  came: Event & { readonly payload: Uint8Array },
  handler: EventHandler,
  unreadable: ReadonlySet<EventHandler>,
): Promise<void> {
  const { device, name, format, payload: bytes } = came;
  // What the two sides say to each other about keys is no event of the device's own.
  if (name === IDENTITY_MESSAGE || name === REFUSAL_MESSAGE) return;
  // A sealed answer is opened once, by who waits for it.
  if (name === REPLY_EVENT && sealedEncoding(format) !== undefined) return;
  if (sealedEncoding(format) === undefined) {
    return handler({ ...came, payload: decodeContent(bytes, format), sealed: false });
  }
  const content = await signer.open(device, name, format, bytes);
  if (content === undefined) {
    for (const other of unreadable) await other({ ...came, sealed: true });
    return;
  }
  const payload = decodeContent(content.bytes, content.format);
  return handler({ ...came, format: content.format, payload, sealed: true });
}

function devices({ type, device }: EventSelection): string {
  const typeLevel = type === undefined ? '+' : topicLevel('type of a device', type);
  return `iot-2/type/${typeLevel}/id/${device === undefined ? '+' : topicLevel('id of a device', device)}`;
}
