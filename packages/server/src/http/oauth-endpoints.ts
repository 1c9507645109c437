import { Failure } from '@sallyport/model';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { AuthorizationServer } from '../oauth/authorization-server.ts';
import { methodOf, OAUTH_PREFIX } from '../oauth/endpoints.ts';
import type { ApiOptions } from './api-options.ts';
import { AttemptBound } from './attempt-bound.ts';

export interface OauthEndpointOptions extends Pick<ApiOptions, 'addressLists'> {
  readonly oauth: AuthorizationServer;
  /** What is known of a connection whose client was asked for a certificate; absent where none is asked. */
  readonly transportOf?: (request: FastifyRequest) => TransportFacts | undefined;
  readonly now: () => number;
}

const ADDRESSES = 10_000;
/** Requests of one address that fail to prove who the client is. */
const FAILURES_BOUND = { burst: 20, refill: 3_000 };
/** Device codes that one address may begin. */
const BEGINNINGS_BOUND = { burst: 20, refill: 6_000 };

/** The organisation of a request below `/oauth/ORGANISATION`; throws if it has no authorization server, or a list refuses the address. */
export function organisationOfRequest({ oauth, addressLists }: Pick<OauthEndpointOptions, 'oauth' | 'addressLists'>) {
  return async (request: FastifyRequest): Promise<string> => {
    const { organisation } = request.params as { readonly organisation: string };
    if (await oauth.serves(organisation)) {
      const listed = addressLists.lists.judge(organisation, request.ip.replace(/^::ffff:(?=\d+\.)/i, ''));
      if (listed.passes) return organisation;
      throw new Failure('forbidden', 'The address of this request is refused by a list.', { cure: listed.cure });
    }
    throw new Failure('not_found', 'There is no authorization server here.', {
      cure: 'Name the organisation under authorizationServer.organisations of the configuration.',
    });
  };
}

/** Keys, tokens, introspection, revocation and the begin of the device flow: what programs ask, at every listener that has them. */
export function openOauthEndpoints(scope: FastifyInstance, options: OauthEndpointOptions): void {
  const { oauth, transportOf, now } = options;
  const failures = new AttemptBound({ ...FAILURES_BOUND, addresses: ADDRESSES, now });
  const beginnings = new AttemptBound({ ...BEGINNINGS_BOUND, addresses: ADDRESSES, now });
  const organisationOf = organisationOfRequest(options);
  // Bodies are read by whoever answers.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null));

  scope.route({
    method: ['GET', 'POST'],
    url: `${OAUTH_PREFIX}/:organisation/*`,
    handler: async (request, reply) => {
      const organisation = await organisationOf(request);
      const path = `/${(request.params as { readonly '*': string })['*']}`;
      const method = methodOf(path);
      if (method === undefined) throw new Failure('not_found', 'The authorization server has no such endpoint.');
      if (method !== request.method) {
        reply.header('allow', method);
        throw new Failure('method_not_allowed', `This endpoint knows ${method}.`);
      }
      const address = request.ip;
      const wait = Math.max(failures.take(address), path === '/device/auth' ? beginnings.take(address) : 0);
      const full = wait === 0 && path === '/device/auth' && !(await oauth.admitsDevices(organisation));
      if (wait > 0 || full) {
        return reply
          .code(429)
          .headers({ 'retry-after': String(Math.max(1, Math.ceil(wait / 1000))), 'cache-control': 'no-store' })
          .send({ error: 'temporarily_unavailable', error_description: 'too many requests; come back later' });
      }
      reply.hijack();
      reply.raw.setHeader('x-content-type-options', 'nosniff');
      await oauth.answer(organisation, path, request.raw, reply.raw, transportOf?.(request));
      if (reply.raw.statusCode !== 401) failures.giveBack(address);
    },
  });
}
