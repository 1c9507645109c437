import { Failure } from '@sallyport/model';
import type { MqttClient } from 'mqtt';

/** Bytes of a packet that a server may send, unless said otherwise. */
const LARGEST_PACKET = 1_048_576;
/** MQTT has no larger ones (MQTT 5 section 1.5.5). */
const LARGEST_THERE_IS = 268_435_460;
/** Bytes that a length may have (MQTT 5 section 1.5.5). */
const LENGTH_BYTES = 4;

/**
 * The bound as it was asked for.
 *
 * @throws Failure `invalid_request`
 */
export function packetBound(bytes = LARGEST_PACKET): number {
  if (Number.isInteger(bytes) && bytes >= 64 && bytes <= LARGEST_THERE_IS) return bytes;
  throw new Failure('invalid_request', `maximumPacketSize is ${bytes}, and no number of bytes that can be.`, {
    cure: `Give a whole number from 64 to ${LARGEST_THERE_IS}, or leave it out for ${LARGEST_PACKET}.`,
  });
}

/**
 * Judges packets by the length that they declare, before their bytes are kept: what a server sends must not fill the memory of a device.
 */
export class PacketBound {
  /** A larger one was declared in the present connection: nothing that comes on it counts any more. */
  exceeded = false;
  readonly #most: number;
  readonly #where: string;

  constructor(most: number, where: string) {
    this.#most = most;
    this.#where = where;
  }

  /** Watches the connection that a client has just begun; an error of the client tells what was too large. */
  watch(client: MqttClient): void {
    this.exceeded = false;
    // CONNECT has told the server. The library would judge by it too, but only once it holds the whole packet.
    if (client.options.properties !== undefined) delete client.options.properties.maximumPacketSize;
    const lengths = new DeclaredLengths((bytes) => {
      if (this.exceeded || bytes <= this.#most) return;
      this.exceeded = true;
      client.emit('error', this.#failure(bytes));
    });
    client.stream.prependListener('data', (chunk: Uint8Array) => lengths.read(chunk));
  }

  #failure(bytes: number): Failure {
    return new Failure(
      'server_packet_too_large',
      `${this.#where} sends a packet of ${bytes} bytes; ${this.#most} are taken.`,
    );
  }
}

/** Follows the fixed headers of a stream of packets, whatever pieces it comes in. */
class DeclaredLengths {
  readonly #declared: (bytes: number) => void;
  /** Bytes of the present packet that are still to come. */
  #left = 0;
  /** Of the present fixed header; 0 between packets. */
  #header = 0;
  #length = 0;

  constructor(declared: (bytes: number) => void) {
    this.#declared = declared;
  }

  read(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const skipped = Math.min(this.#left, chunk.length - at);
        this.#left -= skipped;
        at += skipped;
        continue;
      }
      this.#headerByte(chunk[at] ?? 0);
      at += 1;
    }
  }

  #headerByte(byte: number): void {
    this.#header += 1;
    if (this.#header === 1) {
      // The first names the packet; there is none of the type 0, as the library says as well.
      if (byte < 0x10) this.#left = Number.POSITIVE_INFINITY;
      return;
    }
    this.#length += (byte & 0x7f) * 128 ** (this.#header - 2);
    if (byte >= 0x80) {
      // A length without end is no MQTT, and the library says so: it keeps nothing of what follows.
      if (this.#header > LENGTH_BYTES) this.#left = Number.POSITIVE_INFINITY;
      return;
    }
    this.#declared(this.#header + this.#length);
    this.#left = this.#length;
    this.#header = 0;
    this.#length = 0;
  }
}
