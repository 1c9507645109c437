import { Failure, type FailureCode } from '@sallyport/model';

/** A refusal by the server, with what it told the client: the coarse reason code and the ticket under which it keeps the exact reason. */
export class RefusedByServer extends Failure {
  /** MQTT reason code; the CONNACK return code for MQTT 3.1.1. */
  readonly reasonCode: number;
  /** Six characters for `sallyport explain`; absent for MQTT 3.1.1, which has no room for it. */
  readonly ticket?: string;

  constructor(code: FailureCode, message: string, reasonCode: number, ticket: string | undefined) {
    super(
      code,
      message,
      ticket === undefined ? {} : { cure: `Run \`sallyport explain ${ticket}\` where the server runs.` },
    );
    this.name = 'RefusedByServer';
    this.reasonCode = reasonCode;
    if (ticket !== undefined) this.ticket = ticket;
  }
}

/** The ticket in the reason string of a CONNACK, PUBACK, SUBACK or DISCONNECT. */
export function ticketIn(reasonString: string | undefined): string | undefined {
  return /\bticket ([0-9A-Z]{6})\b/.exec(reasonString ?? '')?.[1];
}

/** Return and reason codes of a CONNACK that say "later", not "no". */
const TEMPORARY = new Set([3, 0x80, 0x83, 0x88, 0x89, 0x8b, 0x97, 0x9f]);

/** True if the same credential may be accepted later, so that another attempt makes sense. */
export function isTemporary(reasonCode: number): boolean {
  return TEMPORARY.has(reasonCode);
}

const NAMES: Readonly<Record<number, string>> = {
  1: 'unacceptable protocol version',
  2: 'client id rejected',
  3: 'server unavailable',
  4: 'malformed user name or password',
  5: 'not authorized',
  128: 'unspecified error',
  129: 'malformed packet',
  130: 'protocol error',
  131: 'not as this server wants it',
  132: 'unsupported protocol version',
  133: 'client id not valid',
  134: 'bad user name or password',
  135: 'not authorized',
  136: 'server unavailable',
  137: 'server busy',
  138: 'banned',
  139: 'server shutting down',
  140: 'bad authentication method',
  142: 'session taken over',
  143: 'topic filter invalid',
  144: 'topic name invalid',
  149: 'packet too large',
  151: 'quota exceeded',
  152: 'administrative action',
  153: 'payload format invalid',
  154: 'retain not supported',
  155: 'QoS not supported',
  156: 'use another server',
  157: 'server moved',
  159: 'connection rate exceeded',
};

/** What an MQTT reason code is called. */
export function reasonName(reasonCode: number): string {
  return NAMES[reasonCode] ?? `reason code ${reasonCode}`;
}

const DISTRUST: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; check the clock of this machine',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  SELF_SIGNED_CERT_IN_CHAIN: 'its root certificate is not one that this client trusts',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by itself',
  UNABLE_TO_GET_ISSUER_CERT: 'its root certificate is not one that this client trusts',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its root certificate is not one that this client trusts',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its root certificate is not one that this client trusts',
  SALLYPORT_NOT_PINNED: 'its certificate is not the one that is pinned',
  CERT_SIGNATURE_FAILURE: 'the signature of its certificate is wrong',
};

/** Names an error of the socket, of TLS or of the MQTT library in our own terms. `where` is `host:port`. */
export function linkFailure(error: unknown, where: string): Failure {
  if (error instanceof Failure) return error;
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const text = error instanceof Error ? error.message : String(error);
  const distrust = DISTRUST[code];
  if (distrust !== undefined) {
    const cure =
      code === 'ERR_TLS_CERT_ALTNAME_INVALID'
        ? { cure: 'Connect by a name that is in the certificate, or have the server issue one that has this name.' }
        : {};
    return new Failure('server_not_trusted', `The server at ${where} is not trusted: ${distrust}.`, {
      cause: error,
      ...cure,
    });
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
    return new Failure('server_unreachable', `What answers at ${where} could not agree on TLS: ${text}.`, {
      cause: error,
      cure: 'Check that the port is the TLS port of the server (8883 unless configured otherwise).',
    });
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new Failure('server_unreachable', `The host name of ${where} is not known.`, { cause: error });
  }
  if (code === 'ECONNREFUSED')
    return new Failure('server_unreachable', `Nothing listens at ${where}.`, { cause: error });
  if (/connack timeout/i.test(text) || code === 'ETIMEDOUT') {
    return new Failure('server_unreachable', `No answer from ${where} in time.`, { cause: error });
  }
  return new Failure('connection_lost', `The connection to ${where} broke: ${text}.`, { cause: error });
}

/** Makes a failure of what the server answered with a reason code of 0x80 or above. `what` is the beginning of a sentence. */
export function refusalOf(
  code: 'connection_refused' | 'publish_refused' | 'subscribe_refused' | 'connection_lost' | 'renewal_refused',
  what: string,
  reasonCode: number,
  reasonString: string | undefined,
): RefusedByServer {
  const ticket = ticketIn(reasonString);
  return new RefusedByServer(
    code,
    `${what}: ${reasonName(reasonCode)}${ticket ? ` (ticket ${ticket})` : ''}.`,
    reasonCode,
    ticket,
  );
}

/** The reason code in an error of the MQTT library; nothing for errors of sockets and TLS, whose codes are texts. */
export function reasonCodeIn(error: unknown): number | undefined {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
}

/** What went wrong with an attempt to connect: a refusal, something that is no MQTT, or the connection itself. `reason` is that of the CONNACK. */
export function connectFailure(error: unknown, where: string, reason: string | undefined): Failure {
  const code = refusedWith(error);
  if (code === undefined) return misspoken(error, where) ?? linkFailure(error, where);
  return refusalOf('connection_refused', `${where} refused the connection`, code, reason);
}

/** Return or reason code of a CONNACK in an error of the MQTT library; nothing for everything else, also where the library finds fault with the server. */
function refusedWith(error: unknown): number | undefined {
  return error instanceof Error && error.message.startsWith('Connection refused: ') ? reasonCodeIn(error) : undefined;
}

/** The failure of a connection on which something came that is no MQTT, or not in its place; undefined for other errors. */
function misspoken(error: unknown, where: string): Failure | undefined {
  if (!(error instanceof Error) || error instanceof Failure) return undefined;
  const { code, message } = error as Error & { readonly code?: unknown };
  // Errors of sockets and TLS have a text as code; of the others the library writes these itself.
  if (typeof code === 'string' || /timeout|TLS not authorized/i.test(message)) return undefined;
  return new Failure('connection_lost', `What came from ${where} is not MQTT as it should be: ${message}.`, {
    cause: error,
    cure: 'Check that host and port are those of the MQTT server, and that nothing in between changes what it sends.',
  });
}
