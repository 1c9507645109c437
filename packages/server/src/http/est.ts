import { type FailureCode, REASONS } from '@sallyport/model';
import { certificatesOnly } from '@sallyport/trust';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TransportFacts } from '../events/transport-facts.ts';
import { AttemptBound } from './attempt-bound.ts';
import type { Enrolled, EnrolmentDesk, EnrolmentRequest } from './enrolment-desk.ts';
import { PROBLEM_TYPE, problem } from './problem.ts';

/** Where EST lives (RFC 7030 section 3.2.2), with or without the organisation as label. */
const EST_PREFIX = '/.well-known/est';
/** A request with an RSA key of 16384 bits has 5 KiB in Base64. */
const LARGEST_REQUEST = 32_768;
const ATTEMPTS = { burst: 20, refill: 6_000, addresses: 10_000 };

export interface EstOptions {
  readonly desk: EnrolmentDesk;
  /** Name of the listener, for the record. */
  readonly listener: string;
  /** What the handshake of a request has shown; left out where clients are not asked for certificates. */
  readonly transportOf?: (request: FastifyRequest) => TransportFacts | undefined;
  readonly now: () => number;
}

/**
 * Enrolment over Secure Transport (RFC 7030): `cacerts`, `simpleenroll` and `simplereenroll`, in Base64 as RFC 8951 has cleared it up.
 * Who enrols shows a code by HTTP Basic, or a certificate where the listener asks for one. Failed attempts are bounded for each address.
 */
export function registerEst(app: FastifyInstance, { desk, listener, transportOf, now }: EstOptions): void {
  const bound = new AttemptBound({ ...ATTEMPTS, now });

  app.register(
    async (scope) => {
      scope.removeAllContentTypeParsers();
      scope.addContentTypeParser('application/pkcs10', { parseAs: 'string' }, (_request, body, done) =>
        done(null, body),
      );
      for (const label of ['', '/:organisation']) {
        scope.get(`${label}/cacerts`, { schema: { hide: true } }, async (request, reply) => {
          const authorities = await desk.authorities(labelOf(request));
          if (!authorities) return sendProblem(reply, problem('not_found', 'There is no such organisation.'));
          return send(reply, 'application/pkcs7-mime', certificatesOnly(authorities));
        });
        for (const name of ['simpleenroll', 'simplereenroll']) {
          scope.post(
            `${label}/${name}`,
            {
              schema: { hide: true },
              bodyLimit: LARGEST_REQUEST,
              onRequest: async (request, reply) => {
                const wait = bound.take(addressOf(request));
                if (wait === 0) return;
                reply.header('retry-after', String(Math.ceil(wait / 1000)));
                const { reason, ticket } = desk.tooFast(evidenceOf(request), wait);
                await answerRefusal(reply, { reason, ticket, proven: false, text: '' });
              },
            },
            async (request, reply) => {
              const answer = await desk.enrol({ ...evidenceOf(request), request: fromBase64(request.body) });
              if (answer.outcome === 'issued' || answer.proven) bound.giveBack(addressOf(request));
              if (answer.outcome === 'refused') return answerRefusal(reply, answer);
              return send(
                reply,
                'application/pkcs7-mime; smime-type=certs-only',
                certificatesOnly([answer.certificate]),
              );
            },
          );
        }
      }
    },
    { prefix: EST_PREFIX },
  );

  function evidenceOf(request: FastifyRequest): Omit<EnrolmentRequest, 'request'> {
    const organisation = labelOf(request);
    const code = basicOf(request.headers.authorization);
    const transport = transportOf?.(request);
    return {
      address: addressOf(request),
      listener,
      resource: `${request.method} ${request.routeOptions.url ?? ''}`,
      ...(organisation === undefined ? {} : { organisation }),
      ...(code === undefined ? {} : { code }),
      ...(transport === undefined ? {} : { transport }),
    };
  }
}

const PROBLEMS: Readonly<Record<number, readonly [FailureCode, string]>> = {
  400: ['invalid_request', 'The certificate request does not fit.'],
  401: ['unauthenticated', 'No enrolment code or client certificate was shown, or it is not valid.'],
  403: ['forbidden', 'This certificate does not enrol this device.'],
  429: ['too_many_requests', 'Too many attempts came from this address, or too many certificates are in force.'],
};

/** The peer is told the coarse reason and the ticket; only what is wrong with its own request is said in full. */
async function answerRefusal(
  reply: FastifyReply,
  { reason, ticket, proven, text }: Omit<Extract<Enrolled, { outcome: 'refused' }>, 'outcome'>,
): Promise<FastifyReply> {
  const { httpStatus } = REASONS[reason];
  const [code, coarse] = PROBLEMS[httpStatus] ?? ['forbidden', 'The enrolment was refused.'];
  if (httpStatus === 401) reply.header('www-authenticate', 'Basic realm="sallyport enrolment", charset="UTF-8"');
  const cure = proven ? REASONS[reason].cure : 'Ask whoever runs the server; the ticket says why.';
  return sendProblem(reply, problem(code, proven ? text : coarse, { ticket, cure }));
}

function sendProblem(reply: FastifyReply, body: ReturnType<typeof problem>): FastifyReply {
  return reply.code(body.status).type(PROBLEM_TYPE).header('cache-control', 'no-store').send(JSON.stringify(body));
}

function send(reply: FastifyReply, type: string, der: Uint8Array): FastifyReply {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return reply
    .type(type)
    .header('content-transfer-encoding', 'base64')
    .send(`${lines.join('\n')}\n`);
}

function labelOf(request: FastifyRequest): string | undefined {
  return (request.params as { organisation?: string }).organisation;
}

/** RFC 7617, but for the colon: client ids hold colons and codes never do, so the last one is the border. */
function basicOf(header: string | undefined): { readonly user: string; readonly code: string } | undefined {
  const encoded = /^Basic +([A-Za-z0-9+/=]{1,512}) *$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const border = text.lastIndexOf(':');
  return border < 0 ? undefined : { user: text.slice(0, border), code: text.slice(border + 1) };
}

/** Line breaks are allowed, PEM lines are not (RFC 7030 section 4.2.1). */
function fromBase64(body: unknown): Uint8Array | undefined {
  const text = typeof body === 'string' ? body.replace(/[\r\n \t]/g, '') : '';
  return /^[A-Za-z0-9+/]+={0,2}$/.test(text) ? Buffer.from(text, 'base64') : undefined;
}

/** A socket that listens on IPv6 too shows IPv4 peers in mapped form. */
function addressOf(request: FastifyRequest): string {
  return request.ip.replace(/^::ffff:(?=\d+\.)/i, '');
}
