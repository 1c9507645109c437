import { REASONS, type Refusal } from '@sallyport/model';
import type { Packet } from '@sallyport/mqtt';
import type { Allowance } from './allowance.ts';
import type { BrokerContext } from './context.ts';
import { limitCure, limitStep } from './limit-keys.ts';
import type { LimitName } from './limits.ts';
import type { Session } from './session.ts';

/** Who keeps to its rates for so long is forgiven. Milliseconds. */
const FORGIVEN_AFTER = 10_000;

/** Judging a proof costs signatures or hashes. */
const AUTH_COST = 20;

/** What a packet takes of the allowance. Acknowledgements are free: their number is that of the messages they answer. */
export function costOf(packet: Packet): number {
  switch (packet.type) {
    case 'subscribe':
      return packet.subscriptions.length;
    case 'unsubscribe':
      return packet.filters.length;
    case 'pingreq':
      return 1;
    case 'auth':
      return AUTH_COST;
    default:
      return 0;
  }
}

/** Holds one connection to the rates of its principal and of its organisation: it is read more slowly, in the end no more. */
export class Throttle {
  #since = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** Milliseconds for which the connection is not to be read; `exhausted` if it was slowed down for too long without a break. */
  wait(context: BrokerContext, session: Session, home: Allowance): number | 'exhausted' {
    const now = context.now();
    const own = session.account.traffic;
    own.refill(now);
    home.refill(now);
    const wait = Math.max(own.wait(), home.wait());
    if (wait <= 0) return 0;
    if (now - this.#last > FORGIVEN_AFTER || now < this.#last) {
      this.#since = now;
      context.counters.slowedDown++;
      context.events.emit({ type: 'session.slowed', refusal: explained(context, session, home) });
    }
    this.#last = now + wait;
    return now - this.#since > session.limits.slowdown ? 'exhausted' : wait;
  }
}

/** Why a connection is slowed down, with the bound that it met and the key that sets it. */
function explained(context: BrokerContext, session: Session, home: Allowance): Refusal {
  const own = session.account.traffic;
  const [limit, what]: [LimitName, string] =
    own.messages < 0
      ? ['messageRate', 'messages per second of the principal']
      : own.bytes < 0
        ? ['byteRate', 'bytes per second of the principal']
        : home.messages < 0
          ? ['organisationMessageRate', 'messages per second of the organisation']
          : ['organisationByteRate', 'bytes per second of the organisation'];
  const most = session.limits[limit];
  const { listener } = session.lastFacts ?? {};
  return context.refuse({
    action: 'publish',
    reason: 'quota_exceeded',
    reasonCode: REASONS.quota_exceeded.reasonCode,
    organisation: session.organisation,
    principal: session.principalName,
    clientId: session.clientId,
    address: session.lastAddress,
    ...(listener === undefined ? {} : { listener }),
    steps: [
      limitStep(what, `more than ${most}`, most),
      { stage: 'limits', outcome: 'failed', text: 'The connection is read more slowly; nothing is lost.' },
    ],
    cure: limitCure(limit, session.principal, session.limits),
  });
}
