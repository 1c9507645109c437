import { type Metadata, type NewApplication, type NewDevice, principalName, type UnlockMode } from '@sallyport/model';
import type { ApplicationRole, Credential, GatewayRole } from '../registry/records.ts';
import type { Registry } from '../registry/registry.ts';
import { applicationDocument, credentialDocument, deviceDocument, devicePrincipal } from './documents.ts';
import { expiry } from './schemas.ts';

interface FirstCredentials {
  readonly token?: string;
  readonly expiresIn?: string;
  readonly password?: { readonly username: string; readonly password: string; readonly scram?: boolean };
}

export interface DeviceRequest extends FirstCredentials {
  readonly id: string;
  readonly description?: string;
  readonly metadata?: Metadata;
  readonly gatewayRole?: GatewayRole;
  readonly unlock?: UnlockMode;
  readonly owner?: string;
  readonly withoutToken?: boolean;
}

export interface ApplicationRequest extends FirstCredentials {
  readonly id: string;
  readonly key?: string;
  readonly role?: ApplicationRole;
  readonly description?: string;
}

/**
 * Registers a device with its first credentials: a token unless it gets only a password or is wanted without, and the
 * password if one is given. Either all of it is there afterwards or nothing.
 */
export async function registerDevice(
  registry: Registry,
  within: { readonly organisation: string; readonly type: string },
  request: DeviceRequest,
  by: string,
  now: number,
): Promise<NewDevice> {
  const { token, expiresIn, password, withoutToken, ...rest } = request;
  const name = { ...within, id: request.id };
  const end = expiry(expiresIn, now);
  if (withoutToken === true || (password && token === undefined)) {
    const record = await registry.devices.register({ ...rest, ...name, by });
    const credentials = await firstPassword(registry, principalName(devicePrincipal(record)), password, end, by, () =>
      registry.devices.remove({ ...name, by }),
    );
    return { device: deviceDocument(record), credentials: credentials.map(credentialDocument) };
  }
  const issued = await registry.devices.create({ ...rest, ...name, ...end, ...(token !== undefined && { token }), by });
  const credentials = await firstPassword(registry, issued.credential.principal, password, end, by, () =>
    registry.devices.remove({ ...name, by }),
  );
  return {
    device: deviceDocument(issued.record),
    credentials: [issued.credential, ...credentials].map(credentialDocument),
    token: issued.token,
  };
}

/** Registers an application with its key, its first token and, if one is given, a user name and password. */
export async function registerApplication(
  registry: Registry,
  organisation: string,
  request: ApplicationRequest,
  by: string,
  now: number,
): Promise<NewApplication> {
  const { expiresIn, password, ...rest } = request;
  const end = expiry(expiresIn, now);
  const issued = await registry.applications.create({ ...rest, organisation, ...end, by });
  const credentials = await firstPassword(registry, issued.credential.principal, password, end, by, () =>
    registry.applications.remove({ organisation, id: request.id, by }),
  );
  return {
    application: applicationDocument(issued.record),
    credentials: [issued.credential, ...credentials].map(credentialDocument),
    token: issued.token,
  };
}

async function firstPassword(
  registry: Registry,
  principal: string,
  wanted: FirstCredentials['password'],
  end: { expiresAt?: number },
  by: string,
  undo: () => Promise<void>,
): Promise<readonly Credential[]> {
  if (!wanted) return [];
  try {
    return [await registry.credentials.createPassword({ principal, ...wanted, ...end, by })];
  } catch (error) {
    await undo();
    throw error;
  }
}
