import { Failure, parseClientId } from '@sallyport/model';
import type { LinkCredential, LinkOptions } from './link-options.ts';

/** Longest text and binary data of MQTT, in bytes (MQTT 5 section 1.5.4). */
const LONGEST = 65_535;
/** The longest time that a timer can wait, in milliseconds. */
const LONGEST_TIMER = 2_147_483_647;

/** What each number may be: least, most, and whether it has to be whole. */
const NUMBERS = {
  port: [1, 65_535, true],
  keepAlive: [0, LONGEST, true],
  connectTimeout: [1, LONGEST_TIMER, false],
  maximumPending: [1, 1_000_000_000, true],
} as const;

/**
 * The options of a client, if it says at least which it is.
 *
 * @throws Failure `invalid_request`
 */
export function namedOptions<T extends object>(options: T, names: readonly (keyof T & string)[]): T {
  if (typeof options !== 'object' || options === null) {
    throw wrong(
      'what was given',
      options,
      'an object of options',
      'Give host, organisation, id and what proves the client.',
    );
  }
  for (const name of names) {
    if (typeof options[name] === 'string') continue;
    throw wrong(name, options[name], 'a text', 'Give it as it was registered; `sallyport device list` shows it.');
  }
  return options;
}

/**
 * Looks at what a program without types may have got wrong, before anything is sent: the libraries below would connect elsewhere, wait for
 * ever, or blame the server.
 *
 * @throws Failure `invalid_request`
 */
export function checkLink(options: LinkOptions, credential: LinkCredential): void {
  const given: Readonly<Record<string, unknown>> = { ...options };
  const { host, websocket, protocolVersion, signal, certificate, backoff } = given;
  if (typeof host !== 'string' || !/^[^\s/@?#]+$/.test(host)) {
    throw wrong(
      'host',
      host,
      'the name or address of a host',
      'Give the name alone, as it is in the certificate of the server: no scheme, port or path.',
    );
  }
  for (const [name, [least, most, whole]] of Object.entries(NUMBERS)) {
    const value = given[name];
    if (value === undefined) continue;
    const fits = typeof value === 'number' && value >= least && value <= most && (!whole || Number.isInteger(value));
    if (!fits)
      throw wrong(
        name,
        value,
        `a number from ${least} to ${most}`,
        'Give a number within these bounds, or leave it out.',
      );
  }
  for (const name of ['first', 'longest'] as const) {
    const value = (backoff as Readonly<Record<string, unknown>> | undefined)?.[name];
    if (value === undefined || (typeof value === 'number' && value > 0 && value <= LONGEST_TIMER)) continue;
    throw wrong(`backoff.${name}`, value, 'a number of milliseconds', 'Give milliseconds above 0, or leave it out.');
  }
  if (protocolVersion !== undefined && protocolVersion !== 4 && protocolVersion !== 5) {
    throw wrong('protocolVersion', protocolVersion, 'a version that is spoken', 'Give 5, or 4 for MQTT 3.1.1.');
  }
  if (
    websocket !== undefined &&
    typeof websocket !== 'boolean' &&
    !(typeof websocket === 'string' && websocket.startsWith('/'))
  ) {
    throw wrong(
      'websocket',
      websocket,
      'true or a path',
      "Give true for the path /mqtt, or a path that begins with '/'.",
    );
  }
  if (signal !== undefined && typeof (signal as Partial<AbortSignal>).throwIfAborted !== 'function') {
    throw wrong('signal', signal, 'an AbortSignal', 'Give the signal of an AbortController.');
  }
  if (certificate !== undefined && !namesCertificate(certificate)) {
    throw wrong(
      'certificate',
      certificate,
      'a certificate with its key',
      'Give { cert, key }, { pkcs12 }, { cert, pkcs11 }, or what CertificateFiles.open answers.',
    );
  }
  checkCredential(credential);
}

function checkCredential({ clientId, username, password }: LinkCredential): void {
  const read = parseClientId(clientId);
  if (!read.ok) {
    throw new Failure('invalid_request', `The client id ${JSON.stringify(clientId)} is none: ${read.problem}.`, {
      cure: 'Correct organisation, type or id as they were registered; `sallyport device list` shows them.',
    });
  }
  for (const [name, value] of Object.entries({ 'user name': username, 'password or token': password })) {
    if (value === undefined) continue;
    // Its value is a secret, and told nobody.
    if (typeof value === 'string' && value !== '' && new TextEncoder().encode(value).length <= LONGEST) continue;
    throw new Failure('invalid_request', `The ${name} is no text of 1 to ${LONGEST} bytes.`, {
      cure: 'Look where the program takes it from: a file that is empty, or a variable that is not set.',
    });
  }
  if (username === 'use-token-auth' && /[\r\n]/.test(password ?? '')) {
    throw new Failure('invalid_request', 'There is a line break in the token.', {
      cure: "It is that of the file which holds it: readFileSync(file, 'utf8').trim().",
    });
  }
}

function namesCertificate(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return 'current' in value || 'pkcs12' in value || ('cert' in value && ('key' in value || 'pkcs11' in value));
}

function wrong(name: string, value: unknown, what: string, cure: string): Failure {
  const shown = typeof value === 'object' || typeof value === 'function' ? `a ${typeof value}` : JSON.stringify(value);
  return new Failure('invalid_request', `${name} is ${shown}, and not ${what}.`, { cure });
}
