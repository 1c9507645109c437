import { type Content, decodeContent, type Link, REPLY_EVENT } from '@sallyport/device';
import { Failure } from '@sallyport/model';
import type { DeviceName } from './device-name.ts';

export interface RequestOptions {
  /** Milliseconds; 30,000 by default. */
  readonly timeout?: number;
  /** Gives up waiting; the device may still do what it was asked. */
  readonly signal?: AbortSignal;
  /** Last level of the topic; `json` for values and `bin` for bytes by default. */
  readonly format?: string;
}

/** Reads an answer that was sealed; undefined if it cannot be read. */
export type OpenReply = (
  device: DeviceName,
  format: string,
  bytes: Uint8Array,
) => Promise<{ readonly format: string; readonly bytes: Uint8Array } | undefined>;

const TIMEOUT = 30_000;
const CORRELATION_LENGTH = 16;
/** Requests of one application that wait for their answers. */
const MOST_WAITING = 10_000;

interface Waiting {
  readonly device: DeviceName;
  readonly resolve: (content: Content) => void;
}

/** Requests that wait for the answers of devices. An answer counts only if it comes from the device that was asked. */
export class Requests {
  readonly #link: Link;
  readonly #open: OpenReply | undefined;
  readonly #waiting = new Map<string, Waiting>();
  #listening: Promise<void> | undefined;

  constructor(link: Link, open: OpenReply | undefined) {
    this.#link = link;
    this.#open = open;
  }

  /**
   * Sends a command that wants an answer, by `send` with the properties that it is to have.
   *
   * @throws Failure `request_timeout` if no answer came in time, `queue_full`; the signal's reason
   */
  async ask(
    device: DeviceName,
    send: (properties: { responseTopic: string; correlationData: Uint8Array }) => Promise<unknown>,
    { timeout = TIMEOUT, signal }: RequestOptions,
  ): Promise<Content> {
    signal?.throwIfAborted();
    if (this.#waiting.size >= MOST_WAITING) {
      throw new Failure('queue_full', `${MOST_WAITING} requests wait already for their answers.`);
    }
    this.#listening ??= this.#listen();
    await this.#listening;
    const correlationData = crypto.getRandomValues(new Uint8Array(CORRELATION_LENGTH));
    const key = keyOf(correlationData);
    let end = () => {};
    try {
      return await new Promise<Content>((resolve, reject) => {
        this.#waiting.set(key, { device, resolve });
        const late = setTimeout(() => {
          reject(
            new Failure('request_timeout', `${device.type}/${device.id} did not answer within ${timeout / 1000} s.`),
          );
        }, timeout);
        const stop = () => reject(signal?.reason as Error);
        signal?.addEventListener('abort', stop, { once: true });
        void this.#link.closed.then(() =>
          reject(new Failure('connection_lost', 'The connection ended before the device answered.')),
        );
        end = () => {
          clearTimeout(late);
          signal?.removeEventListener('abort', stop);
        };
        send({ responseTopic: `iot-2/evt/${REPLY_EVENT}/fmt/json`, correlationData }).catch(reject);
      });
    } finally {
      end();
      this.#waiting.delete(key);
    }
  }

  async #listen(): Promise<void> {
    await this.#link.subscribe(`iot-2/type/+/id/+/evt/${REPLY_EVENT}/fmt/+`, 1, async (topic, bytes, properties) => {
      const waiting = this.#waiting.get(keyOf(properties?.correlationData ?? new Uint8Array()));
      const [, , type = '', , id = '', , , , format = ''] = topic.split('/');
      if (waiting === undefined || waiting.device.type !== type || waiting.device.id !== id) return;
      const opened = this.#open ? await this.#open(waiting.device, format, bytes) : { format, bytes };
      if (opened !== undefined) waiting.resolve(decodeContent(opened.bytes, opened.format));
    });
  }
}

function keyOf(correlationData: Uint8Array): string {
  return Array.from(correlationData, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
