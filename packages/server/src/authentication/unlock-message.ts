import type { Principal } from '@sallyport/model';
import type { UnlockSession } from './unlock-session.ts';

/** A message of a device that is heard before it goes anywhere. */
export interface HeardMessage extends Omit<UnlockSession, 'principal'> {
  readonly principal: Principal;
  readonly assurance: 'full' | 'pending';
  readonly payload: Uint8Array;
}

/** Nothing about a one-time code is longer. */
const LONGEST = 4096;

/** A code as a text; what is none is a wrong code. */
export function codeIn(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, 32) : '';
}

/** The members of a JSON object; none if it is not one, or too long for what it should be. */
export function jsonObject(payload: Uint8Array): Readonly<Record<string, unknown>> {
  if (payload.length > LONGEST) return {};
  try {
    const value: unknown = JSON.parse(Buffer.from(payload).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
