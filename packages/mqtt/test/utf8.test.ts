import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUtf8 } from '../src/index.ts';
import { checkTopicName, TOPIC_WILDCARD } from '../src/topic-form.ts';
import { checkUtf8String, UTF8_FINE, UTF8_ILL_FORMED, UTF8_NULL } from '../src/utf8.ts';

/** The platform's own judgement. */
function decodes(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

const fragments = fc.constantFrom(
  [0x00],
  [0x41],
  [0xc3, 0xa9],
  [0xc0, 0x80],
  [0xc1, 0xbf],
  [0xe2, 0x82, 0xac],
  [0xe0, 0x9f, 0xbf],
  [0xed, 0x9f, 0xbf],
  [0xed, 0xa0, 0x80],
  [0xed, 0xbf, 0xbf],
  [0xee, 0x80, 0x80],
  [0xef, 0xbf, 0xbf],
  [0xf0, 0x90, 0x80, 0x80],
  [0xf0, 0x8f, 0xbf, 0xbf],
  [0xf4, 0x8f, 0xbf, 0xbf],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf5, 0x80, 0x80, 0x80],
  [0x80],
  [0xff],
  [0xe2, 0x82],
);
const nearlyText = fc.array(fragments, { maxLength: 60 }).map((parts) => Uint8Array.from(parts.flat()));

describe('UTF-8', () => {
  test('is judged as the platform judges it', () => {
    fc.assert(
      fc.property(fc.oneof(nearlyText, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        expect(isUtf8(bytes, 0, bytes.length)).toBe(decodes(bytes));
      }),
      { numRuns: 1000 },
    );
  });

  test('a string is fine exactly if it is well-formed and without U+0000', () => {
    fc.assert(
      fc.property(nearlyText, (bytes) => {
        const form = checkUtf8String(bytes, 0, bytes.length);
        expect(form === UTF8_FINE).toBe(decodes(bytes) && !bytes.includes(0));
        if (!bytes.includes(0)) expect(form === UTF8_ILL_FORMED).toBe(!decodes(bytes));
        if (decodes(bytes)) expect(form === UTF8_NULL).toBe(bytes.includes(0));
      }),
      { numRuns: 1000 },
    );
  });

  test('looks only between its offsets', () => {
    const bytes = Uint8Array.from([0xff, 0x41, 0xc3, 0xa9, 0xff]);
    expect(isUtf8(bytes, 1, 4)).toBe(true);
    expect(isUtf8(bytes, 1, 3)).toBe(false);
    expect(checkUtf8String(bytes, 1, 4)).toBe(UTF8_FINE);
  });

  test('a topic name is fine exactly if it is a string without wildcards', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fragments, fc.constant([0x23]), fc.constant([0x2b])), { maxLength: 20 }),
        (parts) => {
          const bytes = Uint8Array.from(parts.flat());
          const string = checkUtf8String(bytes, 0, bytes.length);
          const hasWildcard = bytes.includes(0x23) || bytes.includes(0x2b);
          expect(checkTopicName(bytes, 0, bytes.length)).toBe(
            string === UTF8_FINE && hasWildcard ? TOPIC_WILDCARD : string,
          );
        },
      ),
      { numRuns: 1000 },
    );
  });
});
