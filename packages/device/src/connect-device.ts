import { clientIdOf, type Failure, UNLOCK_COMMAND } from '@sallyport/model';
import type { CommandVerdict } from './command-guard.ts';
import { type Content, decodeContent, encodeContent, topicLevel } from './content.ts';
import { type InsecureSampleKey, writeInsecureSamplePayload } from './insecure-sample-payload.ts';
import { Link } from './link.ts';
import type { LinkEvents, LinkListener, LinkOptions } from './link-options.ts';
import { Protection, type ProtectionOptions } from './protection.ts';

export interface DeviceOptions extends LinkOptions {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
  readonly token: string;
  /** Guards commands and seals events; without it every command that the server lets through is handed over. */
  readonly protection?: ProtectionOptions;
  /** LEGACY. Writes events as the published samples do, under one key that everybody shares: read what that is worth before. */
  readonly insecureSamplePayloads?: InsecureSampleKey;
}

/** What an application asked of this device. */
export interface Command {
  readonly name: string;
  readonly format: string;
  /** The JSON value for the format `json`, else bytes. */
  readonly payload: Content;
  /** Written form of the application whose signature was verified; absent without protection. */
  readonly application?: string;
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
  /** With protection: hears what became of every command, the ignored ones too. */
  onVerdict(listener: (verdict: CommandVerdict) => void): void;
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
  const listeners = new Set<(verdict: CommandVerdict) => void>();
  let subscribed: Promise<void> | undefined;
  const send = (name: string, format: string, bytes: Uint8Array, qos: 0 | 1 | 2 = 1) =>
    link.publish(`iot-2/evt/${topicLevel('name of an event', name)}/fmt/${topicLevel('format', format)}`, bytes, qos);
  const protection = options.protection && (await openProtection(options, options.protection, link, send));

  const receive = async (topic: string, bytes: Uint8Array): Promise<void> => {
    const [, , name = '', , format = ''] = topic.split('/');
    // How it stands with its code, the server tells the device itself.
    if (protection === undefined || name === UNLOCK_COMMAND) return handOver({ name, format }, bytes);
    const verdict = await protection.judge(name, format, bytes);
    for (const listener of listeners) listener(verdict);
    await protection.answer(verdict, format, bytes);
    if (verdict.outcome !== 'valid') return;
    const { content, application, format: inner } = verdict.command;
    await handOver({ name, format: inner, application }, content);
  };
  const handOver = async (facts: Omit<Command, 'payload'>, bytes: Uint8Array): Promise<void> => {
    const { name, format } = facts;
    const chosen = [...(handlers.get(name) ?? []), ...(handlers.get('+') ?? [])];
    if (chosen.length === 0) return;
    const payload = decodeContent(bytes, format);
    for (const handler of chosen) await handler({ ...facts, payload });
  };

  const subscribe = () => link.subscribe('iot-2/cmd/+/fmt/+', 1, receive);
  // A protected device listens from the beginning: applications introduce themselves before they command.
  if (protection !== undefined) {
    subscribed = subscribe();
    await subscribed;
    await protection.introduce();
  }

  return {
    clientId,
    closed: link.closed,
    async publishEvent(name, payload, { qos = 1, format } = {}) {
      const { insecureSamplePayloads: key } = options;
      const encoded = encodeContent(key ? await writeInsecureSamplePayload(payload, key) : payload, format);
      const sealed = (await protection?.sealed(name, encoded)) ?? [encoded];
      for (const each of sealed) await send(name, each.format, each.bytes, qos);
    },
    onVerdict: (listener) => void listeners.add(listener),
    async onCommand(name, handler) {
      if (name !== '+') topicLevel('name of a command', name);
      const sameName = handlers.get(name) ?? new Set();
      handlers.set(name, sameName.add(handler));
      // One subscription for all names: overlapping ones would bring a command twice.
      subscribed ??= subscribe();
      await subscribed;
    },
    on: (event, listener) => link.on(event, listener),
    close: () => link.close(),
  };
}

async function openProtection(
  device: DeviceOptions,
  protection: ProtectionOptions,
  link: Link,
  send: (name: string, format: string, bytes: Uint8Array) => Promise<void>,
): Promise<Protection> {
  try {
    return await Protection.open(protection, { ...device, kind: 'device' }, send);
  } catch (failure) {
    await link.close();
    throw failure;
  }
}
