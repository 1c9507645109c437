import { beginsLikeProxyHeader } from './proxy-header.ts';

/** What the first bytes of a connection say about the client. Nothing in it has been checked. */
export interface FirstBytes {
  readonly kind: 'tls' | 'mqtt' | 'http' | 'proxy' | 'other';
  /** Highest version that a TLS client offers, for example `TLSv1.3`. */
  readonly tlsVersion?: string;
  /** Lower case. */
  readonly serverName?: string;
}

const HANDSHAKE_RECORD = 0x16;
const CLIENT_HELLO = 1;
const EXTENSION_SERVER_NAME = 0;
const EXTENSION_SUPPORTED_VERSIONS = 43;
const VERSIONS: Readonly<Record<number, string>> = {
  768: 'SSLv3',
  769: 'TLSv1',
  770: 'TLSv1.1',
  771: 'TLSv1.2',
  772: 'TLSv1.3',
};
const HOST_NAME = /^[a-z0-9_.-]{1,253}$/;

/**
 * Looks at the first chunk of a connection. Total: any bytes give an answer, and a ClientHello that is cut or wrong gives what was
 * read of it until then. It only informs explanations; the handshake itself is the TLS library's.
 */
export function readFirstBytes(chunk: Buffer): FirstBytes {
  if (chunk[0] === HANDSHAKE_RECORD && (chunk.length < 2 || chunk[1] === 3)) return { kind: 'tls', ...offer(chunk) };
  if (chunk[0] === 0x10 && isConnect(chunk)) return { kind: 'mqtt' };
  if (beginsLikeProxyHeader(chunk)) return { kind: 'proxy' };
  if (/^(GET|PUT|POST|HEAD|DELETE|OPTIONS|CONNECT|PATCH) \S/.test(chunk.toString('latin1', 0, 16)))
    return { kind: 'http' };
  return { kind: 'other' };
}

/** A CONNECT begins with 0x10, its length, and the name `MQTT` or `MQIsdp`; the first chunk may end before the name. */
function isConnect(chunk: Buffer): boolean {
  let at = 1;
  while (at < 4 && (chunk[at] ?? 0) >= 0x80) at += 1;
  const name = chunk.toString('latin1', at + 1, at + 9);
  return '\0\x04MQTT'.startsWith(name.slice(0, 6)) || '\0\x06MQIsdp'.startsWith(name);
}

/** RFC 8446 section 4.1.2, inside one TLSPlaintext record. */
function offer(chunk: Buffer): Omit<FirstBytes, 'kind'> {
  const found: { tlsVersion?: string; serverName?: string } = {};
  try {
    if (chunk[5] !== CLIENT_HELLO) return found;
    setVersion(found, chunk.readUInt16BE(9));
    let at = 9 + 2 + 32;
    at += 1 + chunk.readUInt8(at);
    at += 2 + chunk.readUInt16BE(at);
    at += 1 + chunk.readUInt8(at);
    const end = Math.min(at + 2 + chunk.readUInt16BE(at), chunk.length);
    at += 2;
    while (at + 4 <= end) {
      const type = chunk.readUInt16BE(at);
      const length = chunk.readUInt16BE(at + 2);
      const body = chunk.subarray(at + 4, at + 4 + length);
      if (type === EXTENSION_SERVER_NAME) setServerName(found, body);
      if (type === EXTENSION_SUPPORTED_VERSIONS) {
        for (let i = 1; i + 2 <= body.length; i += 2) setVersion(found, body.readUInt16BE(i));
      }
      at += 4 + length;
    }
  } catch {
    // The chunk ended early: what was found so far is still worth telling.
  }
  return found;
}

/** Values outside the table are grease (RFC 8701) or of a future version. */
function setVersion(found: { tlsVersion?: string }, code: number): void {
  const version = VERSIONS[code];
  if (version !== undefined && (found.tlsVersion === undefined || version > found.tlsVersion))
    found.tlsVersion = version;
}

/** RFC 6066 section 3. */
function setServerName(found: { serverName?: string }, body: Buffer): void {
  const name = body.toString('latin1', 5, 5 + body.readUInt16BE(3)).toLowerCase();
  if (HOST_NAME.test(name)) found.serverName = name;
}
