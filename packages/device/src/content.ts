import { Failure } from '@sallyport/model';

/** Content of an event or command: a value that is sent as JSON, or bytes that are sent as they are. */
export type Content = unknown;

/** Bytes and their format as named in the topic (`…/fmt/FORMAT`). */
export interface EncodedContent {
  readonly format: string;
  readonly bytes: Uint8Array;
}

/** Bytes are sent as `bin`, everything else as `json`; `format` overrules the name only. */
export function encodeContent(content: Content, format?: string): EncodedContent {
  if (content instanceof Uint8Array) return { format: format ?? 'bin', bytes: content };
  const text = JSON.stringify(content);
  if (text === undefined)
    throw new Failure('invalid_request', 'The payload has no JSON form.', {
      cure: 'Pass a value that JSON can hold, or bytes.',
    });
  return { format: format ?? 'json', bytes: new TextEncoder().encode(text) };
}

/**
 * The JSON value for the format `json`, else the bytes.
 *
 * @throws Failure `invalid_request` if the format is `json` and the bytes are not
 */
export function decodeContent(bytes: Uint8Array, format: string): Content {
  if (format !== 'json') return bytes;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new Failure('invalid_request', 'A message of the format "json" came that is not JSON.', {
      cause,
      cure: 'Correct its sender, or have it name another format.',
    });
  }
}

/** Checks one level of a topic that a program names: an event, a command, a format, a type or an id. */
export function topicLevel(what: string, text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: MQTT forbids U+0000 in topics [MQTT-4.7.3-2].
  if (text === '' || /[/+#\u0000]/.test(text)) {
    throw new Failure('invalid_request', `"${text}" cannot be the ${what}.`, {
      cure: 'Use at least one character, and none of "/", "+" and "#".',
    });
  }
  return text;
}
