import { clientIdOf, type Failure, UNLOCK_COMMAND } from '@sallyport/model';
import type { CommandVerdict } from './command-guard.ts';
import { type Content, decodeContent, encodeContent, topicLevel } from './content.ts';
import { type DeviceCredential, deviceCredential } from './device-credential.ts';
import { drain } from './drain.ts';
import { type InsecureSampleKey, writeInsecureSamplePayload } from './insecure-sample-payload.ts';
import { Link } from './link.ts';
import { namedOptions } from './link-check.ts';
import type { LinkEvents, LinkListener, LinkOptions, MessageProperties } from './link-options.ts';
import type { Outbox } from './outbox.ts';
import type { Protection, ProtectionOptions } from './protection.ts';
import { reply } from './reply.ts';
import type { Receiver } from './subscriptions.ts';
import { admission, type OnUnlockRequired } from './unlock.ts';

export interface DeviceOptions extends LinkOptions, DeviceCredential {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
  /** Gets the one-time code from whoever is at the device, should the server demand one; MQTT 5 only. */
  readonly onUnlockRequired?: OnUnlockRequired;
  /** Events that wait on disk are sent in their order whenever there is a connection. */
  readonly outbox?: Outbox;
  /** Guards commands and seals events; without it every command that the server lets through is handed over. */
  readonly protection?: ProtectionOptions;
  /** LEGACY. Writes events as the published samples do, under one key that everybody shares: read what that is worth before. */
  readonly insecureSamplePayloads?: InsecureSampleKey;
}

/** What an application asked of this device. */
export interface Command<P = Content> {
  readonly name: string;
  readonly format: string;
  /** The JSON value for the format `json`, else bytes. */
  readonly payload: P;
  /** Written form of the application whose signature was verified; absent without protection. */
  readonly application?: string;
}

export interface PublishOptions {
  /** 1 by default: resolved when the server owns the message, rejected when it was refused. */
  readonly qos?: 0 | 1 | 2;
  /** Last level of the topic; `json` for values and `bin` for bytes by default. */
  readonly format?: string;
  /** Gives up waiting; the message may still get to the server. */
  readonly signal?: AbortSignal;
}

/** What is done with a command. What it answers goes back to an application that made a request of it. */
export type CommandHandler<P = Content> = (command: Command<P>) => unknown;

/** A connected device. */
export interface Device {
  readonly clientId: string;
  publishEvent(name: string, payload: Content, options?: PublishOptions): Promise<void>;
  /**
   * Calls the handler for commands of this name, or for all with `+`. Resolves when the server has granted the subscription. `P` is what the
   * program takes the payload for; nobody checks it.
   */
  onCommand<P = Content>(name: string, handler: CommandHandler<P>): Promise<void>;
  /** With protection: hears what became of every command, the ignored ones too. */
  onVerdict(listener: (verdict: CommandVerdict) => void): void;
  on<T extends keyof LinkEvents>(event: T, listener: LinkListener<T>): void;
  close(): Promise<void>;
  /** Resolves when the connection has ended for good: with nothing after `close()`, else with the reason. */
  readonly closed: Promise<Failure | undefined>;
}

/**
 * Connects a device, over verified TLS.
 *
 * @throws RefusedByServer `connection_refused` with reason code and ticket
 * @throws Failure `server_unreachable`, `server_not_trusted`, `key_material_invalid`, `invalid_request`, `unlock_failed`
 */
export async function connectDevice(options: DeviceOptions): Promise<Device> {
  const { organisation, type, id, outbox, onUnlockRequired } = namedOptions(options, ['organisation', 'type', 'id']);
  const clientId = clientIdOf({ kind: 'device', organisation, type, id });
  const link = await Link.open(options, deviceCredential(clientId, options), admission('iot-2', options));
  const handlers = new Map<string, Set<CommandHandler>>();
  const listeners = new Set<(verdict: CommandVerdict) => void>();
  let subscribed: Promise<void> | undefined;
  const send = (name: string, format: string, bytes: Uint8Array) => link.publish(eventTopic(name, format), bytes, 1);
  const protection = options.protection && (await openProtection(options, options.protection, link, send));

  const receive: Receiver = async (topic, bytes, properties) => {
    const [, , name = '', , format = ''] = topic.split('/');
    if (name === UNLOCK_COMMAND && onUnlockRequired !== undefined) return;
    // How it stands with its code, the server tells the device itself.
    if (protection === undefined || name === UNLOCK_COMMAND) return handOver({ name, format }, bytes, properties);
    const command = await protection.follow(name, format, bytes, (verdict) => {
      for (const listener of listeners) listener(verdict);
    });
    if (command === undefined) return;
    const { content, application, format: inner } = command;
    await handOver({ name, format: inner, application }, content, properties);
  };
  const handOver = async (
    facts: Omit<Command, 'payload'>,
    bytes: Uint8Array,
    properties: MessageProperties | undefined,
  ): Promise<void> => {
    const { name, format } = facts;
    const chosen = [...(handlers.get(name) ?? []), ...(handlers.get('+') ?? [])];
    if (chosen.length === 0) return;
    const payload = decodeContent(bytes, format);
    for (const handler of chosen) await reply(link, await handler({ ...facts, payload }), properties, protection);
  };

  const subscribe = () => link.subscribe('iot-2/cmd/+/fmt/+', 1, receive);
  // A protected device listens from the beginning: applications introduce themselves before they command.
  if (protection !== undefined) {
    subscribed = subscribe();
    await subscribed;
    await protection.introduce();
  }

  const stopDraining = outbox && drain(outbox, link);
  void link.closed.then(() => stopDraining?.());
  return {
    clientId,
    closed: link.closed,
    async publishEvent(name, payload, { qos = 1, format, signal } = {}) {
      const { insecureSamplePayloads: key } = options;
      const encoded = encodeContent(key ? await writeInsecureSamplePayload(payload, key) : payload, format);
      const sealed = (await protection?.sealed(name, encoded)) ?? [encoded];
      const how = { qos, ...(signal !== undefined && { signal }) };
      for (const each of sealed) await link.publish(eventTopic(name, each.format), each.bytes, how);
    },
    onVerdict: (listener) => void listeners.add(listener),
    async onCommand<P>(name: string, handler: CommandHandler<P>) {
      if (name !== '+') topicLevel('name of a command', name);
      const sameName = handlers.get(name) ?? new Set();
      handlers.set(name, sameName.add(handler as CommandHandler));
      // One subscription for all names: overlapping ones would bring a command twice.
      subscribed ??= subscribe();
      await subscribed;
    },
    on: (event, listener) => link.on(event, listener),
    close: () => link.close(),
  };
}

function eventTopic(name: string, format: string): string {
  return `iot-2/evt/${topicLevel('name of an event', name)}/fmt/${topicLevel('format', format)}`;
}

async function openProtection(
  device: DeviceOptions,
  protection: ProtectionOptions,
  link: Link,
  send: (name: string, format: string, bytes: Uint8Array) => Promise<void>,
): Promise<Protection> {
  try {
    // Loaded on demand: it is large, and a device in a browser goes without.
    const { Protection } = await import('./protection.ts');
    return await Protection.open(protection, { ...device, kind: 'device' }, send);
  } catch (failure) {
    await link.close();
    throw failure;
  }
}
