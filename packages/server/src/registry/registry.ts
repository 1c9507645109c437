import { randomBytes } from 'node:crypto';
import type { FieldProblem } from '@sallyport/model';
import type { SecretBox } from '@sallyport/trust/secrets';
import type { Database } from '../storage/database.ts';
import { type AddressListRecords, addressListRecords } from './address-lists.ts';
import { type Applications, applications } from './applications.ts';
import { type Authenticators, authenticators } from './authenticators.ts';
import { type Authorities, authorities } from './authorities.ts';
import { CachedLookup } from './cached-lookup.ts';
import { type CertificateLookup, CertificateMemory } from './certificate-memory.ts';
import { type Certificates, certificates } from './certificates.ts';
import { type ClientKeys, clientKeys } from './client-keys.ts';
import { type Credentials, credentials } from './credentials.ts';
import { type Devices, devices } from './devices.ts';
import { type Enrolment, enrolment } from './enrolment.ts';
import type { Ground } from './ground.ts';
import { type Identities, identities } from './identities.ts';
import { type Issuers, issuers } from './issuers.ts';
import type { Lookup } from './lookup.ts';
import { type Operators, operators } from './operators.ts';
import { type Organisations, organisations } from './organisations.ts';
import { type PendingDevices, pendingDevices } from './pending-devices.ts';
import { type Policies, policies } from './policies.ts';
import type { RegistryChange } from './records.ts';
import { type RevokedCertificates, revokedCertificates } from './revoked-certificates.ts';
import { type Types, types } from './types.ts';

export interface RegistryOptions {
  readonly database: Database;
  /** `tokenHasher` of `@sallyport/trust/secrets`. */
  readonly tokenHasher: { hash(token: string): Uint8Array };
  /** `passwordHasher` of `@sallyport/trust/secrets`. */
  readonly passwordHasher: { hash(password: string): Promise<string> };
  /** `secretBox` of `@sallyport/trust/secrets`, for the secrets of authenticator apps. */
  readonly secretBox: SecretBox;
  /** `generateToken` of `@sallyport/trust/secrets`. */
  readonly generateToken: () => string;
  /** Random bytes for ids, keys and operators' tokens; `randomBytes` of node:crypto if left out. */
  readonly random?: (size: number) => Uint8Array;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** What is wrong with the text of a policy; nothing is stored unless the answer is empty. */
  readonly checkPolicy: (text: string) => readonly FieldProblem[];
  /** Called after the change is on disk and {@link Registry.lookup} has forgotten what it touches. */
  readonly onChange: (change: RegistryChange) => void;
}

/**
 * The nouns on disk. Every mutation is validated, written together with its audit row in one transaction, and then told.
 * Methods reject with a `Failure`: `not_found`, `already_exists`, `invalid_request`, `in_use`, `policy_invalid`, `store_unavailable`.
 */
export interface Registry {
  readonly organisations: Organisations;
  readonly types: Types;
  readonly devices: Devices;
  readonly applications: Applications;
  readonly operators: Operators;
  readonly credentials: Credentials;
  readonly authorities: Authorities;
  readonly certificates: Certificates;
  readonly revoked: RevokedCertificates;
  readonly clientKeys: ClientKeys;
  readonly authenticators: Authenticators;
  readonly identities: Identities;
  readonly issuers: Issuers;
  readonly enrolment: Enrolment;
  readonly pendingDevices: PendingDevices;
  readonly policies: Policies;
  readonly addressLists: AddressListRecords;
  readonly lookup: Lookup;
  /** What handshakes ask about certificates, with a memory. */
  readonly certificateLookup: CertificateLookup;
}

/** Opens the registry over a database that is open. */
export function openRegistry(options: RegistryOptions): Registry {
  const { database, now, onChange } = options;
  const lookup = new CachedLookup({ query: database.query, now });
  const ground: Ground = {
    database,
    now,
    random: options.random ?? randomBytes,
    hashToken: (token) => options.tokenHasher.hash(token),
    hashPassword: (password) => options.passwordHasher.hash(password),
    generateToken: options.generateToken,
    checkPolicy: options.checkPolicy,
    announce(changes) {
      // Everything is forgotten before the first listener asks anything.
      for (const change of changes) {
        lookup.forget(change);
        tokenIssuers.forget(change);
        certificateLookup.forget(change);
      }
      for (const change of changes) onChange(change);
    },
  };
  const tokenIssuers = issuers(ground);
  const trusted = authorities(ground);
  const onRecord = certificates(ground);
  const certificateLookup = new CertificateMemory({
    findBySerial: onRecord.findBySerial,
    findPin: onRecord.findPin,
    findBySubject: trusted.findBySubject,
    trusts: trusted.trusts,
  });
  return {
    organisations: organisations(ground),
    types: types(ground),
    devices: devices(ground),
    applications: applications(ground),
    operators: operators(ground),
    credentials: credentials(ground),
    authorities: trusted,
    certificates: onRecord,
    revoked: revokedCertificates(ground),
    clientKeys: clientKeys(ground),
    authenticators: authenticators(ground, options.secretBox),
    identities: identities(ground),
    issuers: tokenIssuers,
    enrolment: enrolment(ground),
    pendingDevices: pendingDevices(ground),
    policies: policies(ground),
    addressLists: addressListRecords(ground),
    lookup,
    certificateLookup,
  };
}
