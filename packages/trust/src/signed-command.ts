import { fromBase64url, toBase64url } from './base64url.ts';
import { isCount, isText, readClaims, writeClaims } from './claims.ts';
import { readSigned, type SignedEncoding, type SignedMessage, signMessage } from './signed-message.ts';
import type { Signer } from './signing-key.ts';

/** What an application asks of a device, as it is signed. Times are milliseconds since the epoch, in whole seconds. */
export interface SignedCommand {
  /** Written form of the application. */
  readonly application: string;
  /** Written form of the device or gateway. */
  readonly device: string;
  /** The full topic on which the command is sent. */
  readonly topic: string;
  /** Grows with every command that is signed with the same key. */
  readonly sequence: number;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** Format of the content: `json`, `bin`, … */
  readonly format: string;
  readonly content: Uint8Array<ArrayBuffer>;
}

/** A command that was read; its signature has yet to be judged. */
export interface ReadCommand {
  readonly message: SignedMessage;
  readonly keyId: string;
  readonly command: SignedCommand;
}

const CLAIMS = {
  application: { label: 1, name: 'iss' },
  device: { label: 2, name: 'aud' },
  topic: { label: 3, name: 'topic' },
  sequence: { label: 4, name: 'seq' },
  issuedAt: { label: 5, name: 'iat' },
  expiresAt: { label: 6, name: 'exp' },
  format: { label: 7, name: 'fmt' },
  content: { label: 8, name: 'content' },
  bytes: { label: -1, name: 'bytes' },
} as const;

/** Signs a command. In a JWS, content of the format `json` stands as it is and any other as Base64url. */
export async function signCommand(
  encoding: SignedEncoding,
  command: SignedCommand,
  signer: Signer,
  keyId: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const { content, issuedAt, expiresAt, ...rest } = command;
  const written =
    encoding === 'cose'
      ? { content }
      : command.format === 'json'
        ? { content: JSON.parse(new TextDecoder().decode(content)) as unknown }
        : { bytes: toBase64url(content) };
  const times = { issuedAt: Math.floor(issuedAt / 1000), expiresAt: Math.floor(expiresAt / 1000) };
  const payload = writeClaims(encoding, CLAIMS, { ...rest, ...times, ...written });
  return signMessage(encoding, 'sallyport-command', payload, signer, { keyId });
}

/** Reads a signed command; undefined if it is none. */
export function readCommand(encoding: SignedEncoding, bytes: Uint8Array): ReadCommand | undefined {
  const message = readSigned(encoding, 'sallyport-command', bytes);
  const claims = message && readClaims(encoding, CLAIMS, message.payload);
  if (message?.keyId === undefined || claims === undefined) return undefined;
  const { application, device, topic, sequence, issuedAt, expiresAt, format } = claims;
  if (!isText(application) || !isText(device) || !isText(topic, 65_535) || !isText(format)) return undefined;
  if (!isCount(sequence) || !isCount(issuedAt) || !isCount(expiresAt)) return undefined;
  const content = contentOf(encoding, format, claims);
  if (content === undefined) return undefined;
  return {
    message,
    keyId: message.keyId,
    command: {
      application,
      device,
      topic,
      sequence,
      issuedAt: issuedAt * 1000,
      expiresAt: expiresAt * 1000,
      format,
      content,
    },
  };
}

function contentOf(
  encoding: SignedEncoding,
  format: string,
  { content, bytes }: { readonly content?: unknown; readonly bytes?: unknown },
): Uint8Array<ArrayBuffer> | undefined {
  if (encoding === 'cose') {
    return content instanceof Uint8Array && bytes === undefined ? Uint8Array.from(content) : undefined;
  }
  if (format !== 'json') return typeof bytes === 'string' && content === undefined ? fromBase64url(bytes) : undefined;
  if (content === undefined || bytes !== undefined) return undefined;
  try {
    return new TextEncoder().encode(JSON.stringify(content));
  } catch {
    // Nested too deeply to be written again.
    return undefined;
  }
}
