import type { IncomingMessage } from 'node:http';
import { Failure } from '@sallyport/model';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AuthorizationServer } from '../oauth/authorization-server.ts';
import { OAUTH_PREFIX } from '../oauth/endpoints.ts';
import { DEVICE_GRANT } from '../oauth/oauth-clients.ts';
import { CLIENT_ALGORITHMS } from '../oauth/oauth-provider.ts';
import type { ApiOptions } from './api-options.ts';
import { approvalSteps } from './approval-steps.ts';
import { openOauthEndpoints, organisationOfRequest } from './oauth-endpoints.ts';
import { codePage, PAGE_HEADERS } from './oauth-pages.ts';
import type { OperatorGate } from './operator-gate.ts';

export interface OauthDoorOptions extends Pick<ApiOptions, 'addressLists'> {
  readonly oauth: AuthorizationServer;
  readonly gate: OperatorGate;
  readonly now: () => number;
}

const LARGEST_FORM = 8192;
const METADATA = ['openid-configuration', 'oauth-authorization-server'];

/**
 * The paths of the authorization servers below `/oauth/ORGANISATION`: metadata (RFC 8414), keys, tokens (RFC 6749), introspection
 * (RFC 7662), revocation (RFC 7009), the device flow (RFC 8628), and the page on which an owner approves a device.
 */
export function openOauthDoor(scope: FastifyInstance, { oauth, gate, addressLists, now }: OauthDoorOptions): void {
  const approve = approvalSteps({ oauth, gate, now });
  const organisationOf = organisationOfRequest({ oauth, addressLists });
  openOauthEndpoints(scope, { oauth, addressLists, now });

  for (const name of METADATA) {
    const answer = async (request: FastifyRequest, reply: FastifyReply) => {
      const organisation = await organisationOf(request);
      const metadata = metadataOf(oauth.issuerOf(organisation), oauth.certificateAddressOf(organisation));
      return reply.header('access-control-allow-origin', '*').send(metadata);
    };
    scope.get(`${OAUTH_PREFIX}/:organisation/.well-known/${name}`, answer);
    // RFC 8414 section 3.1: the path of the issuer comes after the well-known one.
    scope.get(`/.well-known/${name}${OAUTH_PREFIX}/:organisation`, answer);
  }

  scope.get(`${OAUTH_PREFIX}/:organisation/device`, async (request, reply) => {
    await organisationOf(request);
    const { user_code } = request.query as { readonly user_code?: unknown };
    return reply.headers(PAGE_HEADERS).send(
      codePage({
        owners: oauth.ownerProofs !== undefined,
        ...(typeof user_code === 'string' ? { userCode: user_code.slice(0, 32) } : {}),
      }),
    );
  });

  scope.post(`${OAUTH_PREFIX}/:organisation/device`, async (request, reply) => {
    const organisation = await organisationOf(request);
    const { status, html } = await approve(organisation, request, await formOf(request.raw));
    return reply.code(status).headers(PAGE_HEADERS).send(html);
  });
}

/** `byCertificate`: where clients prove themselves by certificate, if they can (RFC 8705 section 5). */
function metadataOf(issuer: string, byCertificate: string | undefined) {
  const methods = [
    'client_secret_basic',
    'client_secret_post',
    'private_key_jwt',
    ...(byCertificate === undefined ? [] : ['tls_client_auth', 'self_signed_tls_client_auth']),
  ];
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    ...endpointsOf(issuer),
    grant_types_supported: ['client_credentials', DEVICE_GRANT, 'refresh_token'],
    response_types_supported: [],
    token_endpoint_auth_methods_supported: [...methods, 'none'],
    token_endpoint_auth_signing_alg_values_supported: CLIENT_ALGORITHMS,
    introspection_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_methods_supported: [...methods, 'none'],
    ...(byCertificate === undefined
      ? {}
      : { tls_client_certificate_bound_access_tokens: true, mtls_endpoint_aliases: endpointsOf(byCertificate) }),
  };
}

function endpointsOf(address: string) {
  return {
    token_endpoint: `${address}/token`,
    introspection_endpoint: `${address}/token/introspection`,
    revocation_endpoint: `${address}/token/revocation`,
    device_authorization_endpoint: `${address}/device/auth`,
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
