import { CLIENT_FAILURES } from './client-failures.ts';
import type { FailureRow } from './failure-row.ts';

/** Every way in which this software can fail. `docs/reference/failures.md` is generated from it. */
export const FAILURES = {
  port_taken: {
    httpStatus: 500,
    reasonCode: 0x88,
    severity: 'fatal',
    meaning: 'Another program listens on the port.',
    cure: 'Stop the other program, or choose another port with --mqtt-port or --http-port.',
  },
  address_unavailable: {
    httpStatus: 500,
    reasonCode: 0x88,
    severity: 'fatal',
    meaning: 'The address to listen on does not belong to this machine, or the port needs more rights.',
    cure: 'Choose an address of this machine and a port above 1023.',
  },
  data_directory_unusable: {
    httpStatus: 500,
    reasonCode: 0x88,
    severity: 'fatal',
    meaning: 'The data directory cannot be read or written.',
    cure: 'Give the user who runs Sallyport read and write permission on it, or choose another with --data-dir.',
  },
  data_directory_in_use: {
    httpStatus: 500,
    reasonCode: 0x88,
    severity: 'fatal',
    meaning: 'Another Sallyport runs on this data directory.',
    cure: 'Stop the other server, or choose another directory with --data-dir.',
  },
  database_damaged: {
    httpStatus: 500,
    reasonCode: 0x88,
    severity: 'fatal',
    meaning: 'The registry database does not pass its own integrity check.',
    cure: 'Restore registry.db from a backup; keep the damaged file for inspection.',
  },
  database_too_new: {
    httpStatus: 500,
    reasonCode: 0x88,
    severity: 'fatal',
    meaning: 'The registry database was written by a newer version.',
    cure: 'Run the version that wrote it, or a newer one.',
  },
  store_unavailable: {
    httpStatus: 503,
    reasonCode: 0x88,
    severity: 'error',
    meaning: 'The registry or the audit trail could not be read or written.',
    cure: 'Check free space and permissions of the data directory; the server goes on by itself when they are back.',
  },
  directory_unavailable: {
    httpStatus: 503,
    reasonCode: 0x88,
    severity: 'error',
    meaning:
      'A directory, database or web hook that says who somebody is or what he may do did not answer, or answered what cannot be used.',
    cure: 'Look at the named server and at the way to it; whoever depends on it is refused until it answers.',
  },
  configuration_invalid: {
    httpStatus: 500,
    reasonCode: 0x83,
    severity: 'fatal',
    meaning: 'The configuration file does not fit its schema or contradicts itself.',
    cure: 'Correct the named line; docs/reference/configuration.md lists every key.',
  },
  key_material_invalid: {
    httpStatus: 500,
    reasonCode: 0x83,
    severity: 'fatal',
    meaning: 'A key or certificate file cannot be read, or key and certificate do not belong together.',
    cure: 'Restore the named file from a backup, or remove the folder pki to have a new authority made (every client must then be given the new root).',
  },
  root_key_absent: {
    httpStatus: 409,
    reasonCode: 0x83,
    severity: 'warning',
    meaning: 'The key of the root was taken offline, and what was asked for cannot be done without it.',
    cure: 'Bring it back for as long as it is needed, with `sallyport ca root restore-key FILE`, and try again.',
  },
  policy_invalid: {
    httpStatus: 400,
    reasonCode: 0x83,
    severity: 'warning',
    meaning: 'A policy statement is wrong; the policy in force was not changed.',
    cure: 'Correct the statement at the named position.',
  },
  invalid_request: {
    httpStatus: 400,
    reasonCode: 0x83,
    severity: 'warning',
    meaning: 'A request does not fit its schema.',
    cure: 'Correct the named field; /api/v1/openapi.json describes every request.',
  },
  unauthenticated: {
    httpStatus: 401,
    reasonCode: 0x87,
    severity: 'warning',
    meaning: 'No operator credential was shown, or it is not valid.',
    cure: 'Send "Authorization: Bearer TOKEN" with an operator token; the first one is in the file operator.token of the data directory.',
  },
  forbidden: {
    httpStatus: 403,
    reasonCode: 0x87,
    severity: 'warning',
    meaning: 'The operator may not do this.',
    cure: 'Ask an operator whose role allows it.',
  },
  not_found: {
    httpStatus: 404,
    reasonCode: 0x83,
    severity: 'warning',
    meaning: 'What was asked for does not exist.',
    cure: 'Check the spelling; ids are case-sensitive. The list command of the noun shows what exists.',
  },
  method_not_allowed: {
    httpStatus: 405,
    reasonCode: 0x83,
    severity: 'warning',
    meaning: 'The route exists, but not with this method.',
    cure: 'Use one of the methods that the header Allow names.',
  },
  already_exists: {
    httpStatus: 409,
    reasonCode: 0x83,
    severity: 'warning',
    meaning: 'Something with this id exists already.',
    cure: 'Choose another id, or change what exists.',
  },
  in_use: {
    httpStatus: 409,
    reasonCode: 0x83,
    severity: 'warning',
    meaning: 'It cannot be removed while other things depend on it.',
    cure: 'Remove what depends on it first.',
  },
  list_shuts_out: {
    httpStatus: 409,
    reasonCode: 0x83,
    severity: 'warning',
    meaning: 'The list would refuse everybody, or the address that this request comes from; nothing was changed.',
    cure: 'Add your own address to the white list, or take it off the black one, first; if it is meant so, say --force.',
  },
  changed_meanwhile: {
    httpStatus: 412,
    reasonCode: 0x83,
    severity: 'warning',
    meaning: 'What was to be changed is no longer what it was when it was read; nothing was changed.',
    cure: 'Read it again, apply the change to what is there now, and send it with the new ETag.',
  },
  unsupported_media_type: {
    httpStatus: 415,
    reasonCode: 0x99,
    severity: 'warning',
    meaning: 'The body of the request is of a kind that is not understood here.',
    cure: 'Send JSON with "Content-Type: application/json"; a policy may also be text/yaml.',
  },
  too_many_requests: {
    httpStatus: 429,
    reasonCode: 0x97,
    severity: 'warning',
    meaning: 'More requests came than are allowed.',
    cure: 'Wait for the time named in Retry-After.',
  },
  request_too_large: {
    httpStatus: 413,
    reasonCode: 0x95,
    severity: 'warning',
    meaning: 'The body of the request is larger than allowed.',
    cure: 'Send less in one request.',
  },
  server_unreachable: {
    httpStatus: 502,
    reasonCode: 0x88,
    severity: 'error',
    meaning: 'The server did not answer.',
    cure: 'Start it with `sallyport start`, and check address, port and firewall.',
  },
  server_not_trusted: {
    httpStatus: 502,
    reasonCode: 0x88,
    severity: 'error',
    meaning: "The server's certificate does not lead to the root that this client trusts.",
    cure: 'Give the client the root certificate of the server (pki/root.pem of its data directory).',
  },
  connection_refused: {
    httpStatus: 502,
    reasonCode: 0x87,
    severity: 'error',
    meaning: 'The server refused the connection.',
    cure: 'Run `sallyport explain` with the ticket of the refusal.',
  },
  publish_refused: {
    httpStatus: 502,
    reasonCode: 0x87,
    severity: 'error',
    meaning: 'The server refused to publish a message.',
    cure: 'Run `sallyport explain` with the ticket of the refusal.',
  },
  subscribe_refused: {
    httpStatus: 502,
    reasonCode: 0x87,
    severity: 'error',
    meaning: 'The server refused a subscription.',
    cure: 'Run `sallyport explain` with the ticket of the refusal.',
  },
  connection_lost: {
    httpStatus: 502,
    reasonCode: 0x88,
    severity: 'warning',
    meaning: 'The connection broke.',
    cure: 'The client connects again by itself; if it keeps breaking, look for a second client with the same client id.',
  },
  request_timeout: {
    httpStatus: 504,
    reasonCode: 0x88,
    severity: 'warning',
    meaning: 'A device did not answer a request in time.',
    cure: 'See whether the device is connected (`sallyport session list`) and its program answers requests; allow it more time.',
  },
  unlock_failed: {
    httpStatus: 403,
    reasonCode: 0x87,
    severity: 'error',
    meaning: 'The one-time code that the server demands was not given.',
    cure: 'Connect again, and enter the code that the owner of the device gets; an operator sees who waits with `sallyport unlock list`.',
  },
  queue_full: {
    httpStatus: 503,
    reasonCode: 0x97,
    severity: 'warning',
    meaning: 'More was handed over than can be kept.',
    cure: 'Send slower, or raise the named bound.',
  },
  ...CLIENT_FAILURES,
  firmware_rejected: {
    httpStatus: 422,
    reasonCode: 0x83,
    severity: 'error',
    meaning: 'A device did not believe firmware that it was offered; nothing of it was installed.',
    cure: 'Read what did not hold: a signature, a date, a type, a sequence or a digest. Release the image anew if it is yours; find out where it came from if it is not.',
  },
  demonstration_failed: {
    httpStatus: 500,
    reasonCode: 0x80,
    severity: 'error',
    meaning: 'The demonstration showed something that should not be.',
    cure: 'Read what is marked with ✗; report it if you did not change the policy of the organisation demo.',
  },
  internal: {
    httpStatus: 500,
    reasonCode: 0x80,
    severity: 'error',
    meaning: 'A defect of this software. The connection or request was ended; the server goes on.',
    cure: 'Report it with the log line of that moment.',
  },
} as const satisfies Record<string, FailureRow>;

export type FailureCode = keyof typeof FAILURES;

/**
 * Something did not work. The `message` says what happened and to what; `cure` says what to do next. Never holds a secret.
 */
export class Failure extends Error {
  readonly code: FailureCode;
  readonly cure: string;

  constructor(code: FailureCode, message: string, options: { readonly cause?: unknown; readonly cure?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'Failure';
    this.code = code;
    this.cure = options.cure ?? FAILURES[code].cure;
  }
}
