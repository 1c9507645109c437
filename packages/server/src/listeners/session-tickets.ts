import { randomBytes } from 'node:crypto';
import type { SecureContext, Server } from 'node:tls';

/** The door to OpenSSL's ticket callback that Node has and does not document; its own tests use it. */
interface TicketContext {
  onticketkeycallback?: (name: Buffer, iv: Buffer, encrypting: boolean) => readonly (number | Buffer)[];
  enableTicketKeyCallback?: () => void;
}

/** A wrong answer through this door aborts the process, so it is used only where tests have passed through it. */
const TRIED = /^v(20|22|24)\./;
const REFUSE = 0;
const ACCEPT = 1;
const ACCEPT_AND_RENEW = 2;
/** Tickets are sealed with a key for this long and opened for as long again. Milliseconds. */
const ROTATION = 60 * 60_000;

/** What seals session tickets. */
export interface TicketKey {
  readonly name: Buffer;
  readonly mac: Buffer;
  readonly cipher: Buffer;
  readonly madeAt: number;
}

/** The first seals; each of them opens. */
export type TicketKeys = () => readonly [TicketKey, ...TicketKey[]];

/** Keys that are made here and change by themselves, so that a stolen one opens two hours at most. */
export function ownTicketKeys(now: () => number = Date.now): TicketKeys {
  let current = newKey(now());
  let previous: TicketKey | undefined;
  return () => {
    const age = now() - current.madeAt;
    if (age > ROTATION) {
      // A key that has rested for two turns opens tickets that are too old.
      previous = age > 2 * ROTATION ? undefined : current;
      current = newKey(now());
    }
    return previous === undefined ? [current] : [current, previous];
  };
}

/**
 * Gives a client a new ticket each time it resumes. Without it a TLS 1.3 client that uses a ticket once, as RFC 8446 appendix C.4
 * asks, resumes only every second connection.
 *
 * Call it again after `setSecureContext`, with new keys: tickets of before are worth nothing then, which is wanted, because they carry
 * the verdict on a certificate that was judged by the old authorities. Where the door is not tried, tickets work as Node has them.
 *
 * Answers what must be done with every further context that a handshake may be moved to (by its server name): Node asks the context of the
 * moment for the keys, and breaks the handshake off where it finds nobody to ask.
 */
export function renewTickets(server: Server, keys: TicketKeys = ownTicketKeys()): (other: SecureContext) => void {
  const context = (server as unknown as { _sharedCreds?: { context?: TicketContext } })._sharedCreds?.context;
  if (!TRIED.test(process.version) || typeof context?.enableTicketKeyCallback !== 'function') return () => {};

  const keysFor: TicketContext['onticketkeycallback'] = (name, _iv, encrypting) => {
    const all = keys();
    const [current] = all;
    if (encrypting) return [ACCEPT, current.mac, current.cipher, current.name, randomBytes(16)];
    const key = all.find((candidate) => candidate.name.equals(name));
    // Node demands keys with a refusal too, and aborts the process without them.
    return key ? [ACCEPT_AND_RENEW, key.mac, key.cipher] : [REFUSE, current.mac, current.cipher];
  };
  context.onticketkeycallback = keysFor;
  context.enableTicketKeyCallback();
  return ({ context: other }) => {
    (other as TicketContext).onticketkeycallback = keysFor;
  };
}

function newKey(madeAt: number): TicketKey {
  return { name: randomBytes(16), mac: randomBytes(16), cipher: randomBytes(16), madeAt };
}
