import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { TLSSocket } from 'node:tls';
import { type Principal, principalName, REASONS, type RefusalReason, type TraceStep } from '@sallyport/model';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Refusals } from '../audit/refusals.ts';
import type { ServerEvent } from '../events/events.ts';
import type { FirmwareFile } from '../firmware/firmware-desk.ts';
import { AttemptBound } from './attempt-bound.ts';
import { byteRange } from './byte-range.ts';
import { PROBLEM_TYPE, problem } from './problem.ts';

/** What a device put forward with its request, and what was found. */
export type DeviceVerdict =
  | { readonly outcome: 'accepted'; readonly principal: Principal }
  | {
      readonly outcome: 'refused';
      readonly reason: RefusalReason;
      readonly steps: readonly TraceStep[];
      readonly cure: string;
    };

export interface FirmwareDoorOptions {
  /** The file of a repository under a path as TUF clients write it. */
  readonly file: (organisation: string, path: string) => FirmwareFile | undefined;
  /** The first door, as on MQTT: `name` is `ORGANISATION/TYPE/ID`; the certificate is that of the socket. */
  readonly authenticate: (shown: {
    readonly name?: string;
    readonly password?: Uint8Array;
    readonly socket: TLSSocket;
  }) => Promise<DeviceVerdict>;
  readonly refuse: Refusals['refuse'];
  readonly emit: (event: ServerEvent) => void;
  readonly now: () => number;
  readonly maximumDownloads: number;
}

const ATTEMPTS = { burst: 20, refill: 3_000, addresses: 10_000 };

/**
 * Hands out firmware to devices under `/firmware/ORGANISATION/`, laid out as TUF clients expect it. A device proves itself as on MQTT,
 * by token (HTTP Basic) or certificate, and gets images of its own type only. Downloads can be resumed (RFC 9110 section 14).
 */
export function firmwareDoor(app: FastifyInstance, options: FirmwareDoorOptions): void {
  const bound = new AttemptBound({ ...ATTEMPTS, now: options.now });
  let downloads = 0;

  app.get<{ Params: { organisation: string; '*': string } }>(
    '/firmware/:organisation/*',
    { schema: { hide: true } as never },
    async (request, reply) => {
      const { organisation, '*': path } = request.params;
      const principal = await admit(request, reply, bound, options);
      if (!principal) return reply;
      const file = ownOrganisation(principal) === organisation ? options.file(organisation, path) : undefined;
      if (
        ownOrganisation(principal) !== organisation ||
        (file?.type !== undefined && file.type !== typeOf(principal))
      ) {
        return forbid(request, reply, principal, options);
      }
      const size = file && (await stat(file.path).catch(() => undefined))?.size;
      if (!file || size === undefined) return send(reply, problem('not_found', 'There is no such file.'));
      if (downloads >= options.maximumDownloads) {
        reply.header('retry-after', '10');
        return send(reply, { ...problem('queue_full', 'Too many downloads are under way.'), status: 503 });
      }
      downloads++;
      reply.raw.once('close', () => downloads--);
      return sendFile(request, reply, file, size);
    },
  );
}

async function admit(
  request: FastifyRequest,
  reply: FastifyReply,
  bound: AttemptBound,
  options: FirmwareDoorOptions,
): Promise<Principal | undefined> {
  const wait = bound.take(addressOf(request));
  if (wait > 0) {
    reply.header('retry-after', String(Math.ceil(wait / 1000)));
    send(reply, problem('too_many_requests', 'Too many failed attempts came from this address.'));
    return undefined;
  }
  const verdict = await options.authenticate({ ...basic(request), socket: request.raw.socket as TLSSocket });
  if (verdict.outcome === 'accepted') {
    bound.giveBack(addressOf(request));
    return verdict.principal;
  }
  const { ticket } = refuse(request, verdict, undefined, options);
  reply.header('www-authenticate', 'Basic realm="sallyport", charset="UTF-8"');
  const detail = 'No credential of a device was shown, or it is not valid.';
  send(reply, problem('unauthenticated', detail, { ticket, cure: CURE }));
  return undefined;
}

const CURE = 'Use ORGANISATION/TYPE/ID as user name and the token of the device as password.';

function forbid(request: FastifyRequest, reply: FastifyReply, principal: Principal, options: FirmwareDoorOptions) {
  const step: TraceStep = {
    stage: 'authorization',
    outcome: 'failed',
    text: `${principalName(principal)} asked for firmware that is not for its type.`,
    compared: {
      what: 'path',
      found: request.url,
      expected: `/firmware/${ownOrganisation(principal)}/…/${typeOf(principal)}/…`,
    },
  };
  const { cure } = REASONS.firmware_not_for_type;
  const rejected = { reason: 'firmware_not_for_type', steps: [step], cure } as const;
  const { ticket } = refuse(request, rejected, principal, options);
  return send(reply, problem('forbidden', 'This firmware is for devices of another type.', { ticket, cure }));
}

function refuse(
  request: FastifyRequest,
  { reason, steps, cure }: { reason: RefusalReason; steps: readonly TraceStep[]; cure: string },
  principal: Principal | undefined,
  { refuse: record, emit }: FirmwareDoorOptions,
) {
  const refusal = record({
    action: 'receive',
    reason,
    reasonCode: REASONS[reason].reasonCode,
    address: addressOf(request),
    listener: 'https',
    resource: `GET ${request.url.slice(0, 512)}`,
    steps,
    cure,
    ...(principal && { principal: principalName(principal) }),
    ...(principal && principal.kind !== 'operator' && { organisation: principal.organisation }),
  });
  emit({ type: 'request.refused', refusal });
  return refusal;
}

function sendFile(request: FastifyRequest, reply: FastifyReply, file: FirmwareFile, size: number) {
  const name = file.path.slice(file.path.lastIndexOf('/') + 1);
  // A name with a version or a digest never stands for other bytes; the timestamp is the one that changes.
  const etag = name === 'timestamp.json' ? undefined : `"${name}"`;
  reply.header('accept-ranges', 'bytes').header('cache-control', etag ? 'private, immutable' : 'no-store');
  reply.type(name.endsWith('.json') ? 'application/json' : 'application/octet-stream');
  if (etag) reply.header('etag', etag);
  const condition = request.headers['if-range'];
  const range = condition === undefined || condition === etag ? byteRange(request.headers.range, size) : undefined;
  if (range === 'unsatisfiable') {
    reply.header('content-range', `bytes */${size}`);
    return reply
      .code(416)
      .type(PROBLEM_TYPE)
      .send(JSON.stringify(problem('invalid_request', 'The range lies outside the file.')));
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`);
  reply.header('content-length', String(end - start + 1));
  return reply.send(createReadStream(file.path, { start, end }));
}

function basic(request: FastifyRequest): { readonly name?: string; readonly password?: Uint8Array } {
  const encoded = /^Basic +([A-Za-z0-9+/=]{1,1024}) *$/i.exec(request.headers.authorization ?? '')?.[1];
  if (encoded === undefined) return {};
  const bytes = Buffer.from(encoded, 'base64');
  const colon = bytes.indexOf(0x3a);
  if (colon < 0) return {};
  return { name: bytes.toString('utf8', 0, colon), password: bytes.subarray(colon + 1) };
}

function ownOrganisation(principal: Principal): string | undefined {
  return principal.kind === 'operator' ? undefined : principal.organisation;
}

function typeOf(principal: Principal): string | undefined {
  return principal.kind === 'device' || principal.kind === 'gateway' ? principal.type : undefined;
}

function addressOf(request: FastifyRequest): string {
  return request.ip.replace(/^::ffff:(?=\d+\.)/i, '');
}

function send(reply: FastifyReply, body: ReturnType<typeof problem>): FastifyReply {
  return reply.code(body.status).type(PROBLEM_TYPE).header('cache-control', 'no-store').send(JSON.stringify(body));
}
