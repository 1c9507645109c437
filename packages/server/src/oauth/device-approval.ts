import { type DevicePrincipal, Failure, principalName } from '@sallyport/model';
import type { DeviceCode, Provider } from 'oidc-provider';
import type { KnownPrincipal } from '../authentication/known-principal.ts';
import { suspension } from '../authentication/standing.ts';
import type { PolicyInForce } from '../authorization/policy-store.ts';
import { findOauthClient, type OauthClientsOptions } from './oauth-clients.ts';
import { refusedScope } from './permitted-scopes.ts';

/** What a device has asked for and its owner is to decide. Times in milliseconds since the epoch. */
export interface DeviceRequest {
  readonly userCode: string;
  /** Written form. */
  readonly principal: string;
  readonly clientId: string;
  /** From where the device asked. */
  readonly address: string;
  readonly askedAt: number;
  readonly endsAt: number;
  /** As the device asked for them; none: whatever the policy permits. */
  readonly scopes: readonly string[];
}

export interface DeviceApprovalOptions extends OauthClientsOptions {
  readonly provider: Provider;
  readonly audience: string;
  readonly loadPolicy: (organisation: string) => PolicyInForce | Promise<PolicyInForce>;
  readonly now: () => number;
}

/** The user code as it is compared: upper case, without separators. */
function normalUserCode(text: string): string {
  return text.toUpperCase().replace(/[^A-Z]/g, '');
}

/** The request behind a user code. Throws `not_found` if there is none that waits, or its device is not registered or may not act. */
export async function findDeviceRequest(userCode: string, options: DeviceApprovalOptions): Promise<DeviceRequest> {
  const { code, known } = await waiting(userCode, options);
  const info = code.deviceInfo as { readonly address?: unknown; readonly at?: unknown } | undefined;
  return {
    userCode: normalUserCode(userCode),
    principal: principalName(known.principal),
    clientId: code.clientId ?? '',
    address: typeof info?.address === 'string' ? info.address.replace(/^::ffff:(?=\d+\.)/i, '') : 'unknown',
    askedAt: typeof info?.at === 'number' ? info.at : 0,
    endsAt: (code.exp ?? 0) * 1000,
    scopes: scopesOf(code),
  };
}

/**
 * Lets a device have what it asked for, or not. Throws `not_found` as {@link findDeviceRequest}, and `forbidden` if it asks for more
 * than the policy permits to it.
 */
export async function decideDeviceRequest(
  userCode: string,
  approved: boolean,
  options: DeviceApprovalOptions,
): Promise<DeviceRequest> {
  const request = await findDeviceRequest(userCode, options);
  const { code, known } = await waiting(userCode, options);
  if (!approved) {
    Object.assign(code, { error: 'access_denied', errorDescription: 'the owner of the device did not approve it' });
    await code.save();
    return request;
  }
  const { policy } = await options.loadPolicy(options.organisation);
  const refused = refusedScope(request.scopes, known, policy, options.now());
  if (refused) {
    throw new Failure('forbidden', `${request.principal} asks for the scope ${refused.scope}: ${refused.why}.`, {
      cure: 'Let the device ask for less, or have the policy permit it first.',
    });
  }
  const scope = request.scopes.join(' ');
  const { provider, audience } = options;
  const grant = new provider.Grant({ accountId: request.principal, clientId: request.clientId });
  if (scope !== '') grant.addResourceScope(audience, scope);
  const grantId = await grant.save();
  Object.assign(code, { accountId: request.principal, grantId, scope: scope || undefined, resource: audience });
  await code.save();
  return request;
}

async function waiting(
  userCode: string,
  options: DeviceApprovalOptions,
): Promise<{ code: DeviceCode; known: KnownPrincipal & { principal: DevicePrincipal } }> {
  const code = await options.provider.DeviceCode.findByUserCode(normalUserCode(userCode));
  const used = !code || code.isExpired || code.accountId !== undefined || code.error !== undefined;
  const client = used ? undefined : await findOauthClient(code.clientId ?? '', options);
  const known = client?.known;
  if (!code || used || !known || suspension(known) || !isDevice(known)) {
    throw new Failure('not_found', 'No registered device waits with this code.', {
      cure: 'Compare the code with the display of the device; codes end after some minutes and are used once. Register the device first.',
    });
  }
  return { code, known };
}

function isDevice(known: KnownPrincipal): known is KnownPrincipal & { principal: DevicePrincipal } {
  return known.principal.kind === 'device' || known.principal.kind === 'gateway';
}

function scopesOf(code: DeviceCode): readonly string[] {
  const asked = (code.params as { readonly scope?: unknown } | undefined)?.scope;
  return typeof asked === 'string' ? asked.split(' ').filter((scope) => scope !== '') : [];
}
