import { createHash } from 'node:crypto';
import { keep } from './keep.ts';

/** Who has sent a command. */
export interface Senders {
  readonly first: string;
  /** Another principal that has sent the same bytes to the same topic after that. */
  readonly repeatedBy?: string;
}

/** Commands that are remembered; the oldest go first. */
const COMMANDS = 20_000;

/** Remembers who has sent which protected command, so that what a device says of it can be held against what was seen. */
export class SentCommands {
  readonly #senders = new Map<string, Senders>();

  sent(organisation: string, topic: string, payload: Uint8Array, sender: string): void {
    const key = keyOf(organisation, topic, nameOf(payload));
    const known = this.#senders.get(key);
    // A client may send again what was not acknowledged.
    if (known?.first === sender) return;
    keep(this.#senders, key, known ? { first: known.first, repeatedBy: sender } : { first: sender }, COMMANDS);
  }

  /** `message` as signed refusals name it. */
  find(organisation: string, topic: string, message: string): Senders | undefined {
    return this.#senders.get(keyOf(organisation, topic, message));
  }
}

/** As `messageId` of the signed refusals. */
function nameOf(payload: Uint8Array): string {
  return createHash('sha256').update(payload).digest().subarray(0, 16).toString('base64url');
}

function keyOf(organisation: string, topic: string, message: string): string {
  return `${organisation} ${topic} ${message}`;
}
