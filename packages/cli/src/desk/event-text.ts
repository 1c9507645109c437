import type { Event } from '@sallyport/application';
import { type DeskEvent, SEALED_FORMATS } from '@sallyport/model';

const LONGEST = 2_000;

/** What a person reads of the content of an event; nothing of what is sealed for somebody else. */
export function eventText({
  payload,
  format,
  sealed,
}: Pick<Event, 'payload' | 'format' | 'sealed'>): Pick<DeskEvent, 'text' | 'protection'> {
  if ((SEALED_FORMATS as readonly string[]).includes(format)) return { protection: 'sealed' };
  if (sealed) return { text: shortened(readable(payload)), protection: 'opened' };
  return { text: shortened(readable(payload)), protection: 'clear' };
}

function readable(payload: unknown): string {
  if (!(payload instanceof Uint8Array)) return JSON.stringify(payload);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(payload);
  } catch {
    return `${payload.length} bytes: ${Buffer.from(payload.subarray(0, 64)).toString('hex')}`;
  }
}

function shortened(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`;
}
