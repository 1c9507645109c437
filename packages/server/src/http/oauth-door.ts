import type { IncomingMessage } from 'node:http';
import { Failure } from '@sallyport/model';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type AuthorizationServer, OAUTH_PREFIX } from '../oauth/authorization-server.ts';
import { DEVICE_GRANT } from '../oauth/oauth-clients.ts';
import { CLIENT_ALGORITHMS } from '../oauth/oauth-provider.ts';
import type { ApiOptions } from './api-options.ts';
import { approvalSteps } from './approval-steps.ts';
import { AttemptBound } from './attempt-bound.ts';
import { codePage, PAGE_HEADERS } from './oauth-pages.ts';
import type { OperatorGate } from './operator-gate.ts';

export interface OauthDoorOptions extends Pick<ApiOptions, 'addressLists'> {
  readonly oauth: AuthorizationServer;
  readonly gate: OperatorGate;
  readonly now: () => number;
}

const ADDRESSES = 10_000;
/** Requests of one address that fail to prove who the client is. */
const FAILURES_BOUND = { burst: 20, refill: 3_000 };
/** Device codes that one address may begin. */
const BEGINNINGS_BOUND = { burst: 20, refill: 6_000 };
const LARGEST_FORM = 8192;
const METADATA = ['openid-configuration', 'oauth-authorization-server'];

/**
 * The paths of the authorization servers below `/oauth/ORGANISATION`: metadata (RFC 8414), keys, tokens (RFC 6749), introspection
 * (RFC 7662), revocation (RFC 7009), the device flow (RFC 8628), and the page on which an owner approves a device.
 */
export function openOauthDoor(scope: FastifyInstance, { oauth, gate, addressLists, now }: OauthDoorOptions): void {
  const failures = new AttemptBound({ ...FAILURES_BOUND, addresses: ADDRESSES, now });
  const beginnings = new AttemptBound({ ...BEGINNINGS_BOUND, addresses: ADDRESSES, now });
  const approve = approvalSteps({ oauth, gate, now });
  // Bodies are read by whoever answers.
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null));

  const organisationOf = async (request: FastifyRequest): Promise<string> => {
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

  for (const name of METADATA) {
    const answer = async (request: FastifyRequest, reply: FastifyReply) => {
      const issuer = oauth.issuerOf(await organisationOf(request));
      return reply.header('access-control-allow-origin', '*').send(metadataOf(issuer));
    };
    scope.get(`${OAUTH_PREFIX}/:organisation/.well-known/${name}`, answer);
    // RFC 8414 section 3.1: the path of the issuer comes after the well-known one.
    scope.get(`/.well-known/${name}${OAUTH_PREFIX}/:organisation`, answer);
  }

  scope.get(`${OAUTH_PREFIX}/:organisation/device`, async (request, reply) => {
    await organisationOf(request);
    const { user_code } = request.query as { readonly user_code?: unknown };
    return reply
      .headers(PAGE_HEADERS)
      .send(codePage(typeof user_code === 'string' ? { userCode: user_code.slice(0, 32) } : {}));
  });

  scope.post(`${OAUTH_PREFIX}/:organisation/device`, async (request, reply) => {
    const organisation = await organisationOf(request);
    const { status, html } = await approve(organisation, request, await formOf(request.raw));
    return reply.code(status).headers(PAGE_HEADERS).send(html);
  });

  scope.route({
    method: ['GET', 'POST'],
    url: `${OAUTH_PREFIX}/:organisation/*`,
    handler: async (request, reply) => {
      const organisation = await organisationOf(request);
      const path = `/${(request.params as { readonly '*': string })['*']}`;
      const method = oauth.methodOf(path);
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
      await oauth.answer(organisation, path, request.raw, reply.raw);
      if (reply.raw.statusCode !== 401) failures.giveBack(address);
    },
  });
}

function metadataOf(issuer: string) {
  const methods = ['client_secret_basic', 'client_secret_post', 'private_key_jwt'];
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    token_endpoint: `${issuer}/token`,
    introspection_endpoint: `${issuer}/token/introspection`,
    revocation_endpoint: `${issuer}/token/revocation`,
    device_authorization_endpoint: `${issuer}/device/auth`,
    grant_types_supported: ['client_credentials', DEVICE_GRANT, 'refresh_token'],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: [...methods, 'none'],
    token_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
    introspection_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_methods_supported: [...methods, 'none'],
  };
}

/** A small form, read whole; more than a person would write is refused. */
async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_FORM) throw new Failure('request_too_large', 'The form is larger than 8 KiB.');
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
