import { Failure } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import { decodeContent, encodeContent, topicLevel } from '../src/content.ts';

describe('content of messages', () => {
  it('sends values as JSON and bytes as they are', () => {
    expect(encodeContent({ on: true })).toEqual({ format: 'json', bytes: new TextEncoder().encode('{"on":true}') });
    expect(encodeContent(new Uint8Array([1, 2]))).toEqual({ format: 'bin', bytes: new Uint8Array([1, 2]) });
    expect(encodeContent(new Uint8Array([1]), 'cbor').format).toBe('cbor');
  });

  it('refuses what has no JSON form', () => {
    expect(() => encodeContent(undefined)).toThrow(Failure);
    expect(() => encodeContent(() => 1)).toThrow(Failure);
  });

  it('reads JSON only where the topic says so', () => {
    const bytes = new TextEncoder().encode('{"a":1}');
    expect(decodeContent(bytes, 'json')).toEqual({ a: 1 });
    expect(decodeContent(bytes, 'bin')).toBe(bytes);
  });

  it('reports malformed JSON and malformed UTF-8 as a failure', () => {
    expect(() => decodeContent(new TextEncoder().encode('{'), 'json')).toThrow(Failure);
    expect(() => decodeContent(new Uint8Array([0x22, 0xff, 0x22]), 'json')).toThrow(Failure);
  });

  it.each(['', 'a/b', '+', '#', 'a\u0000b'])('does not let %j change the shape of a topic', (text) => {
    expect(() => topicLevel('name of an event', text)).toThrow(Failure);
  });
});
