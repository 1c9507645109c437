import { checkUtf8String, UTF8_FINE } from './utf8.ts';

const SLASH = 0x2f;
const HASH = 0x23;
const PLUS = 0x2b;
const SHARE_PREFIX = Buffer.from('$share/');

/** Answer of `checkTopicName` beside those of `checkUtf8String`. */
export const TOPIC_WILDCARD = 3;

/** 1 for every byte that needs a closer look in a topic name: wildcards, null, and all beyond ASCII. */
const REMARKABLE = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte === 0 || byte === HASH || byte === PLUS || byte >= 0x80 ? 1 : 0,
);

/** Checks a topic name on its bytes: UTF-8 form, U+0000, and no wildcard [MQTT-3.3.2-2]. Length is the caller's. */
export function checkTopicName(bytes: Uint8Array, start: number, end: number): number {
  let index = start;
  // Four at a time: this loop is most of the time that a PUBLISH takes.
  for (const last = end - 3; index < last; index += 4) {
    const remarkable =
      REMARKABLE[bytes[index]!]! |
      REMARKABLE[bytes[index + 1]!]! |
      REMARKABLE[bytes[index + 2]!]! |
      REMARKABLE[bytes[index + 3]!]!;
    if (remarkable !== 0) return checkRemarkable(bytes, index, end);
  }
  for (; index < end; index++) {
    if (REMARKABLE[bytes[index]!] !== 0) return checkRemarkable(bytes, index, end);
  }
  return UTF8_FINE;
}

function checkRemarkable(bytes: Uint8Array, start: number, end: number): number {
  const form = checkUtf8String(bytes, start, end);
  return form === UTF8_FINE && hasWildcard(bytes, start, end) ? TOPIC_WILDCARD : form;
}

function hasWildcard(bytes: Uint8Array, start: number, end: number): boolean {
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte === HASH || byte === PLUS) return true;
  }
  return false;
}

/** A rule of topic filters that was broken: its statement in MQTT 5, in MQTT 3.1.1, and in words. */
export interface FilterProblem {
  readonly five: string;
  readonly below: string;
  readonly message: string;
}

const EMPTY: FilterProblem = { five: 'MQTT-4.7.3-1', below: 'MQTT-4.7.3-1', message: 'the topic filter is empty' };
const BAD_HASH: FilterProblem = {
  five: 'MQTT-4.7.1-1',
  below: 'MQTT-4.7.1-2',
  message: "'#' is not the whole of the last level of the topic filter",
};
const BAD_PLUS: FilterProblem = {
  five: 'MQTT-4.7.1-2',
  below: 'MQTT-4.7.1-3',
  message: "'+' is not the whole of a level of the topic filter",
};
const EMPTY_SHARE: FilterProblem = {
  five: 'MQTT-4.8.2-1',
  below: 'MQTT-4.8.2-1',
  message: 'the share name is empty',
};
const BAD_SHARE: FilterProblem = {
  five: 'MQTT-4.8.2-2',
  below: 'MQTT-4.8.2-2',
  message: "the share name holds '+' or '#', or no '/' and topic filter follow it",
};

/** Checks the wildcards of a topic filter on bytes that are known to be a UTF-8 Encoded String. */
export function checkTopicFilter(bytes: Uint8Array, start: number, end: number): FilterProblem | undefined {
  if (start === end) return EMPTY;
  for (let index = start; index < end; index++) {
    const byte = bytes[index]!;
    if (byte !== HASH && byte !== PLUS) continue;
    const startsLevel = index === start || bytes[index - 1] === SLASH;
    if (byte === HASH) {
      if (!startsLevel || index !== end - 1) return BAD_HASH;
    } else if (!startsLevel || (index !== end - 1 && bytes[index + 1] !== SLASH)) return BAD_PLUS;
  }
  return undefined;
}

/** Whether a topic filter is one of a shared subscription of MQTT 5 (section 4.8.2). */
export function isSharedFilter(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < SHARE_PREFIX.length) return false;
  for (let index = 0; index < SHARE_PREFIX.length; index++) {
    if (bytes[start + index] !== SHARE_PREFIX[index]) return false;
  }
  return true;
}

/** Checks `$share/NAME/FILTER` [MQTT-4.8.2-1] [MQTT-4.8.2-2] and the filter within. */
export function checkSharedFilter(bytes: Uint8Array, start: number, end: number): FilterProblem | undefined {
  const nameStart = start + SHARE_PREFIX.length;
  let nameEnd = nameStart;
  while (nameEnd < end && bytes[nameEnd] !== SLASH) {
    if (bytes[nameEnd] === HASH || bytes[nameEnd] === PLUS) return BAD_SHARE;
    nameEnd++;
  }
  if (nameEnd === nameStart) return EMPTY_SHARE;
  if (nameEnd >= end - 1) return BAD_SHARE;
  return checkTopicFilter(bytes, nameEnd + 1, end);
}
