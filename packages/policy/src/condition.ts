import { type Address, type AddressBlock, blockContains, parseAddress } from './address.ts';
import type { Assurance, Subject, Transport } from './decision.ts';

/** A window of the day in minutes of UTC; `from` inclusive, `to` exclusive; it may span midnight. */
export interface DayWindow {
  readonly from: number;
  readonly to: number;
}

/** The checked `when` of a statement. */
export interface Conditions {
  readonly address?: readonly AddressBlock[];
  readonly transport?: readonly Transport[];
  readonly secure?: boolean;
  readonly assurance?: Assurance;
  readonly credential?: readonly string[];
  readonly day?: DayWindow;
  /** Milliseconds since the epoch, inclusive. */
  readonly after?: number;
  /** Milliseconds since the epoch, exclusive. */
  readonly before?: number;
}

/** A condition that does not hold, with what was compared. */
export interface Unmet {
  readonly what: string;
  readonly found: string;
  readonly expected: string;
}

const DAY = 86_400_000;
const MINUTE = 60_000;

/**
 * The first condition that does not hold, or nothing.
 *
 * A pending session is met only by permits that name it. An unknown address meets no permit and every deny, so that what
 * is not known never opens anything.
 */
export function unmetCondition(
  conditions: Conditions,
  effect: 'permit' | 'deny',
  subject: Subject,
  address: Address | undefined,
  now: number,
): Unmet | undefined {
  const { assurance = effect === 'permit' ? 'full' : undefined } = conditions;
  if (assurance !== undefined && assurance !== subject.assurance)
    return unmet('assurance', subject.assurance, assurance);
  if (conditions.secure !== undefined && conditions.secure !== subject.secure) {
    return unmet('secure', String(subject.secure), String(conditions.secure));
  }
  if (conditions.transport && !conditions.transport.includes(subject.transport)) {
    return unmet('transport', subject.transport, conditions.transport.join(', '));
  }
  if (conditions.credential && !conditions.credential.includes(subject.credentialKind)) {
    return unmet('credential', subject.credentialKind, conditions.credential.join(', '));
  }
  const blocks = conditions.address;
  if (blocks && (address ? !blocks.some((block) => blockContains(block, address)) : effect === 'permit')) {
    return unmet('address', subject.address ?? 'unknown', blocks.map((block) => block.text).join(', '));
  }
  return unmetTime(conditions, now);
}

function unmetTime({ day, after, before }: Conditions, now: number): Unmet | undefined {
  if (after !== undefined && !(now >= after)) return unmet('time', written(now), `after ${written(after)}`);
  if (before !== undefined && !(now < before)) return unmet('time', written(now), `before ${written(before)}`);
  if (!day) return undefined;
  const minute = (((now % DAY) + DAY) % DAY) / MINUTE;
  const inside = day.from < day.to ? minute >= day.from && minute < day.to : minute >= day.from || minute < day.to;
  return inside ? undefined : unmet('time', written(now), `${clock(day.from)} to ${clock(day.to)} UTC`);
}

/** When the conditions may next come to hold or cease to, in milliseconds since the epoch; nothing if time does not matter to them any more. */
export function nextTurn({ day, after, before }: Conditions, now: number): number | undefined {
  const turns = [after, before].filter((turn): turn is number => turn !== undefined && turn > now);
  if (day) {
    const midnight = Math.floor(now / DAY) * DAY;
    for (const minute of [day.from, day.to]) {
      const today = midnight + minute * MINUTE;
      turns.push(today > now ? today : today + DAY);
    }
  }
  return turns.length > 0 ? Math.min(...turns) : undefined;
}

/** The address of a subject, if it has one that can be read. */
export function addressOf(subject: Subject): Address | undefined {
  return subject.address === undefined ? undefined : parseAddress(subject.address);
}

function unmet(what: string, found: string, expected: string): Unmet {
  return { what, found, expected };
}

function clock(minutes: number): string {
  return `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
}

function written(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString();
}
