import type { Element } from './der-reader.ts';

const UTC = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
const GENERALIZED = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.\d{1,9})?Z$/;

/** Milliseconds since 1970 of a UTCTime or GeneralizedTime; undefined if it is neither, or no time that exists. */
export function timeOf(der: Uint8Array, { tag, content, end }: Element): number | undefined {
  if ((tag !== 0x17 && tag !== 0x18) || end - content > 30) return undefined;
  let text = '';
  for (let i = content; i < end; i++) text += String.fromCharCode(der[i] ?? 0);
  const parts = (tag === 0x17 ? UTC : GENERALIZED).exec(text)?.slice(1).map(Number);
  if (!parts) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  // RFC 5280 section 4.1.2.5.1: two digits of 50 and above are of the last century.
  const full = tag === 0x18 ? year : year < 50 ? 2000 + year : 1900 + year;
  const at = Date.UTC(full, month - 1, day, hour, minute, second);
  return new Date(at).getUTCDate() === day ? at : undefined;
}
