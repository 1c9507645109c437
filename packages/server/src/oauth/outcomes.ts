import { principalName, REASONS, type RefusalReason, type TraceStep } from '@sallyport/model';
import type { errors, KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { Refuse } from '../authorization/session-rights.ts';
import type { ServerEvent } from '../events/events.ts';
import type { ShownCertificates } from './client-certificate.ts';
import { OAUTH_PREFIX } from './endpoints.ts';
import { findOauthClient, type OauthClientsOptions } from './oauth-clients.ts';

export interface OutcomesOptions extends OauthClientsOptions {
  readonly shown: ShownCertificates;
  readonly refuse: Refuse;
  readonly emit: (event: ServerEvent) => void;
}

/** Why a request was refused, and what was looked at before. */
interface Why {
  readonly reason: RefusalReason;
  readonly text: string;
  readonly before?: TraceStep;
}

/** Keeps the exact reason of a refused request under a ticket; the client hears what the protocol says. */
export function refuseRequest(
  { organisation, shown, refuse, emit }: Pick<OutcomesOptions, 'organisation' | 'shown' | 'refuse' | 'emit'>,
  ctx: KoaContextWithOIDC,
  { reason, text, before }: Why,
): void {
  const { stage, reasonCode, cure } = REASONS[reason];
  const clientId = ctx.oidc.params?.client_id;
  const refusal = refuse({
    action: 'manage',
    reason,
    reasonCode,
    organisation,
    ...(typeof clientId === 'string' ? { clientId: clientId.slice(0, 256) } : {}),
    address: ctx.ip,
    listener: shown.has(ctx.req) ? 'enrolment' : 'https',
    resource: `${OAUTH_PREFIX}/${organisation}${ctx.path}`,
    steps: [...(before ? [before] : []), { stage, outcome: 'failed', text }],
    cure,
  });
  emit({ type: 'request.refused', refusal });
}

/** Makes events and refusals of what oidc-provider says of the requests that it answers. */
export function tellOutcomes(provider: Provider, options: OutcomesOptions): void {
  const { emit, organisation } = options;
  const refused = (ctx: KoaContextWithOIDC, error: errors.OIDCProviderError): void => {
    const why = whyRefused(ctx, error, options.shown);
    if (why) refuseRequest(options, ctx, why);
  };
  provider.on('grant.error', refused);
  provider.on('device_authorization.error', refused);
  provider.on('introspection.error', refused);
  provider.on('revocation.error', refused);
  provider.on('server_error', (ctx, error) => {
    emit({ type: 'defect', where: `authorization server, ${ctx.path}`, problem: `${error.name}: ${error.message}` });
  });
  provider.on('grant.success', (ctx) => {
    const { client, params } = ctx.oidc;
    const token = ctx.oidc.entities.AccessToken ?? ctx.oidc.entities.ClientCredentials;
    if (!client) return;
    void findOauthClient(client.clientId, options).then((found) => {
      if (!found) return;
      emit({
        type: 'token.issued',
        organisation,
        principal: principalName(found.principal),
        grant: String(params?.grant_type),
        address: ctx.ip,
        scopes: (token?.scope ?? '').split(' ').filter((scope) => scope !== ''),
      });
    });
  });
}

function whyRefused(
  ctx: KoaContextWithOIDC,
  error: errors.OIDCProviderError,
  shown: ShownCertificates,
): Why | undefined {
  // RFC 8628 section 3.5: a device that waits asks again and again.
  if (error.error === 'authorization_pending' || error.error === 'slow_down') return undefined;
  // Signed tokens are answered by us.
  if (error.error === 'unsupported_token_type') return undefined;
  const detail = (error as { readonly error_detail?: string }).error_detail ?? error.error_description ?? error.message;
  const text = `The authorization server answered ${error.error}: ${detail}.`;
  const certificate = shown.get(ctx.req)?.proofOf(String(ctx.oidc.params?.client_id));
  if (error.error === 'invalid_client' && certificate?.accepted === false) {
    return { reason: 'oauth_certificate_rejected', text, before: certificate.verdict.step };
  }
  return { reason: reasonOf(error.error), text };
}

function reasonOf(error: string): RefusalReason {
  if (error === 'invalid_client') return 'oauth_client_rejected';
  if (error === 'invalid_scope') return 'oauth_scope_not_permitted';
  if (['invalid_grant', 'expired_token', 'access_denied'].includes(error)) return 'oauth_grant_rejected';
  return 'oauth_request_invalid';
}
