import {
  type ApplicationDocument,
  type AuthorityDocument,
  type CertificateDocument,
  type CredentialDocument,
  clientIdOf,
  type DeviceDocument,
  type DeviceTypeDocument,
  type IssuerDocument,
  type OperatorDocument,
  type OrganisationDocument,
  type Page,
  type PolicyVersionDocument,
  type Principal,
  principalName,
} from '@sallyport/model';
import { pemOf } from '@sallyport/trust';
import type {
  Application,
  CertificateRecord,
  Credential,
  Device,
  DeviceType,
  Issuer,
  Operator,
  Organisation,
  PolicyVersion,
  TrustedAuthority,
} from '../registry/records.ts';
import type { BuiltInAuthority } from './api-options.ts';

type Times<T, K extends keyof T> = { [P in K]: string | Extract<T[P], undefined> };

/** Writes the named times as ISO 8601 and leaves out keys without a value. */
function written<T extends object, K extends keyof T>(record: T, times: readonly K[]): Omit<T, K> & Times<T, K> {
  const wanted = new Set<PropertyKey>(times);
  const entries = Object.entries(record)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => [key, wanted.has(key) ? new Date(value as number).toISOString() : value]);
  return Object.fromEntries(entries) as Omit<T, K> & Times<T, K>;
}

export function organisationDocument(organisation: Organisation): OrganisationDocument {
  return written(organisation, ['createdAt', 'suspendedAt']);
}

export function issuerDocument(issuer: Issuer): IssuerDocument {
  return written(issuer, ['createdAt']);
}

export function deviceTypeDocument(type: DeviceType): DeviceTypeDocument {
  return written(type, ['createdAt']);
}

/** The principal that a device or gateway record stands for. */
export function devicePrincipal(device: Device): Principal {
  return { kind: device.class, organisation: device.organisation, type: device.type, id: device.id };
}

export function deviceDocument(device: Device): DeviceDocument {
  const principal = devicePrincipal(device);
  return {
    ...written(device, ['createdAt', 'suspendedAt']),
    principal: principalName(principal),
    clientId: clientIdOf(principal),
  };
}

export function applicationDocument(application: Application): ApplicationDocument {
  const principal: Principal = { kind: 'application', organisation: application.organisation, id: application.id };
  return {
    ...written(application, ['createdAt', 'suspendedAt']),
    principal: principalName(principal),
    clientId: clientIdOf(principal),
  };
}

export function operatorDocument(operator: Operator): OperatorDocument {
  return written(operator, ['createdAt', 'suspendedAt']);
}

export function credentialDocument(credential: Credential): CredentialDocument {
  return written(credential, ['createdAt', 'expiresAt', 'revokedAt']);
}

export function certificateDocument({ issuerNameHash: _, ...record }: CertificateRecord): CertificateDocument {
  return written(record, ['createdAt', 'notBefore', 'notAfter', 'revokedAt']);
}

export function authorityDocument(authority: TrustedAuthority): AuthorityDocument {
  const { fingerprint, subject, notBefore, notAfter, der, revocation, registration, createdAt, createdBy } = authority;
  return {
    ...written({ subject, notBefore, notAfter, createdAt, createdBy }, ['notBefore', 'notAfter', 'createdAt']),
    id: fingerprint,
    builtIn: false,
    pem: pemOf('CERTIFICATE', der),
    revocation,
    registration,
  };
}

export function builtInAuthority({ certificate, succeededBy }: BuiltInAuthority): AuthorityDocument {
  const { fingerprintSha256, subject, notBefore, notAfter, der } = certificate;
  return {
    ...written({ subject, notBefore, notAfter }, ['notBefore', 'notAfter']),
    id: fingerprintSha256,
    builtIn: true,
    ...(succeededBy === undefined ? {} : { succeededBy }),
    pem: pemOf('CERTIFICATE', der),
  };
}

/** The policy in force of an organisation that never wrote one is the empty version 0. */
export function policyDocument(organisation: string, policy: PolicyVersion | undefined): PolicyVersionDocument {
  if (!policy) return { organisation, version: 0, text: '' };
  const { version, text, createdAt, createdBy } = policy;
  return { organisation, version, text, savedAt: new Date(createdAt).toISOString(), savedBy: createdBy };
}

/** Writes each item of a page of the registry in its form on the wire. */
export function pageOf<R, D>(page: Page<R>, write: (record: R) => D): Page<D> {
  const items = page.items.map(write);
  return page.next === undefined ? { items } : { items, next: page.next };
}
