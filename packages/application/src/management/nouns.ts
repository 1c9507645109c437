import type {
  ApplicationDocument,
  AuthenticatorDocument,
  AuthorityDocument,
  CertificateDocument,
  CredentialDocument,
  DeviceDocument,
  DeviceTypeDocument,
  IdentityDocument,
  IssuedCertificateDocument,
  IssuedCredential,
  NewApplication,
  NewDevice,
  NewOperator,
  OperatorDocument,
  OperatorRole,
  OrganisationDocument,
  Page,
  PendingUnlockDocument,
  RevocationChange,
  SecurityLevel,
  SessionDocument,
  UnlockCodeDocument,
} from '@sallyport/model';
import type { Caller, PageOptions } from './caller.ts';
import type {
  ApplicationChange,
  ApplicationName,
  CertificateFilter,
  DeviceChange,
  DeviceName,
  NewApplicationRequest,
  NewCredentialRequest,
  NewDeviceRequest,
  NewIdentityRequest,
  NewOperatorRequest,
  NewOrganisationRequest,
  NewTypeRequest,
  TypeChange,
  TypeName,
} from './requests.ts';

/** Credentials of a principal whose path in the API is `path(name)`. */
function credentials<N, I>(caller: Caller, path: (name: N) => readonly string[]) {
  return {
    /** Newest first, the ended ones too. */
    list: (name: N) => caller.json<Page<CredentialDocument>>('GET', [...path(name), 'credentials']),
    /** The ones before stay valid. */
    issue: (name: N, body: I) => caller.json<IssuedCredential>('POST', [...path(name), 'credentials'], { body }),
    /** Ends the sessions that stand on it. */
    revoke: (name: N, credential: string) =>
      caller.json<CredentialDocument>('DELETE', [...path(name), 'credentials', credential]),
  };
}

export function organisationCalls(caller: Caller) {
  const path = (id: string) => ['organisations', id];
  return {
    list: (page: PageOptions = {}) =>
      caller.json<Page<OrganisationDocument>>('GET', ['organisations'], { query: { ...page } }),
    create: (body: NewOrganisationRequest) => caller.json<OrganisationDocument>('POST', ['organisations'], { body }),
    get: (id: string) => caller.json<OrganisationDocument>('GET', path(id)),
    update: (id: string, body: { readonly name?: string; readonly security?: SecurityLevel }) =>
      caller.json<OrganisationDocument>('PATCH', path(id), { body }),
    remove: (id: string) => caller.nothing('DELETE', path(id)),
    suspend: (id: string) => caller.json<OrganisationDocument>('POST', [...path(id), 'suspend']),
    resume: (id: string) => caller.json<OrganisationDocument>('POST', [...path(id), 'resume']),
  };
}

export function typeCalls(caller: Caller) {
  const path = ({ organisation, id }: TypeName) => ['organisations', organisation, 'types', id];
  return {
    list: (organisation: string, page: PageOptions = {}) =>
      caller.json<Page<DeviceTypeDocument>>('GET', ['organisations', organisation, 'types'], { query: { ...page } }),
    create: ({ organisation, ...body }: NewTypeRequest) =>
      caller.json<DeviceTypeDocument>('POST', ['organisations', organisation, 'types'], { body }),
    get: (name: TypeName) => caller.json<DeviceTypeDocument>('GET', path(name)),
    update: (name: TypeName, body: TypeChange) => caller.json<DeviceTypeDocument>('PATCH', path(name), { body }),
    remove: (name: TypeName) => caller.nothing('DELETE', path(name)),
  };
}

export function deviceCalls(caller: Caller) {
  const base = (organisation: string, type: string) => ['organisations', organisation, 'types', type, 'devices'];
  const path = ({ organisation, type, id }: DeviceName) => [...base(organisation, type), id];
  const list = (path: readonly string[], page: PageOptions) =>
    caller.json<Page<DeviceDocument>>('GET', path, { query: { ...page } });
  return {
    /** Devices and gateways of one type. */
    listOfType: ({ organisation, id }: TypeName, page: PageOptions = {}) => list(base(organisation, id), page),
    /** Devices of all types. */
    list: (organisation: string, page: PageOptions = {}) => list(['organisations', organisation, 'devices'], page),
    /** Gateways of all types. */
    listGateways: (organisation: string, page: PageOptions = {}) =>
      list(['organisations', organisation, 'gateways'], page),
    create: ({ organisation, type, ...body }: NewDeviceRequest) =>
      caller.json<NewDevice>('POST', base(organisation, type), { body }),
    get: (name: DeviceName) => caller.json<DeviceDocument>('GET', path(name)),
    update: (name: DeviceName, body: DeviceChange) => caller.json<DeviceDocument>('PATCH', path(name), { body }),
    remove: (name: DeviceName) => caller.nothing('DELETE', path(name)),
    suspend: (name: DeviceName) => caller.json<DeviceDocument>('POST', [...path(name), 'suspend']),
    resume: (name: DeviceName) => caller.json<DeviceDocument>('POST', [...path(name), 'resume']),
    credentials: credentials<DeviceName, NewCredentialRequest>(caller, path),
    authenticator: {
      /** The answer has the secret this once; the one before is worth nothing any more. */
      create: (name: DeviceName) => caller.json<AuthenticatorDocument>('POST', [...path(name), 'authenticator']),
      remove: (name: DeviceName) => caller.nothing('DELETE', [...path(name), 'authenticator']),
    },
  };
}

export function applicationCalls(caller: Caller) {
  const base = (organisation: string) => ['organisations', organisation, 'applications'];
  const path = ({ organisation, id }: ApplicationName) => [...base(organisation), id];
  return {
    list: (organisation: string, page: PageOptions = {}) =>
      caller.json<Page<ApplicationDocument>>('GET', base(organisation), { query: { ...page } }),
    create: ({ organisation, ...body }: NewApplicationRequest) =>
      caller.json<NewApplication>('POST', base(organisation), { body }),
    get: (name: ApplicationName) => caller.json<ApplicationDocument>('GET', path(name)),
    update: (name: ApplicationName, body: ApplicationChange) =>
      caller.json<ApplicationDocument>('PATCH', path(name), { body }),
    remove: (name: ApplicationName) => caller.nothing('DELETE', path(name)),
    suspend: (name: ApplicationName) => caller.json<ApplicationDocument>('POST', [...path(name), 'suspend']),
    resume: (name: ApplicationName) => caller.json<ApplicationDocument>('POST', [...path(name), 'resume']),
    credentials: credentials<ApplicationName, NewCredentialRequest>(caller, path),
  };
}

/** The authorities that an organisation trusts, by SHA-256. */
export function authorityCalls(caller: Caller) {
  const base = (organisation: string) => ['organisations', organisation, 'authorities'];
  return {
    list: (organisation: string, page: PageOptions = {}) =>
      caller.json<Page<AuthorityDocument>>('GET', base(organisation), { query: { ...page } }),
    /** PEM of the authority's own certificate. */
    add: (organisation: string, certificate: string, revocation?: RevocationChange) =>
      caller.json<AuthorityDocument>('POST', base(organisation), {
        body: { certificate, ...(revocation === undefined ? {} : { revocation }) },
      }),
    /** Fetches its revocation lists and asks its responders now. */
    fetchNews: (organisation: string, id: string) =>
      caller.json<AuthorityDocument>('POST', [...base(organisation), id, 'revocation-news']),
    /** Changes how revocation is looked at; what is left out stays, `null` ends a URL. */
    update: (organisation: string, id: string, revocation: RevocationChange) =>
      caller.json<AuthorityDocument>('PATCH', [...base(organisation), id], { body: { revocation } }),
    get: (organisation: string, id: string) => caller.json<AuthorityDocument>('GET', [...base(organisation), id]),
    /** Ends the sessions that lean on it. */
    remove: (organisation: string, id: string) => caller.nothing('DELETE', [...base(organisation), id]),
  };
}

/** Client certificates of an organisation. */
export function certificateCalls(caller: Caller) {
  const base = (organisation: string) => ['organisations', organisation, 'certificates'];
  return {
    /** Newest first, the ended ones too; with `expiring`, for example `30d`, only those in force that end within it. */
    list: (organisation: string, filter: CertificateFilter & PageOptions = {}) =>
      caller.json<Page<CertificateDocument>>('GET', base(organisation), { query: { ...filter } }),
    issue: (
      organisation: string,
      body: { readonly principal: string; readonly csr: string; readonly expiresIn?: string },
    ) => caller.json<IssuedCertificateDocument>('POST', base(organisation), { body }),
    /** Lets this one certificate prove the principal, whoever signed it. */
    pin: (organisation: string, body: { readonly principal: string; readonly certificate: string }) =>
      caller.json<CertificateDocument>('POST', ['organisations', organisation, 'pinned-certificates'], { body }),
    /** Ends the sessions that stand on it. */
    revoke: (organisation: string, id: string) =>
      caller.json<CertificateDocument>('DELETE', [...base(organisation), id]),
    /** Revokes what an authority of your own issued. */
    revokeForeign: (
      organisation: string,
      body: { readonly certificate: string } | { readonly authority: string; readonly serial: string },
    ) => caller.json<CertificateDocument>('POST', ['organisations', organisation, 'revoked-certificates'], { body }),
  };
}

/** Public keys of applications and devices, by key id. */
export function identityCalls(caller: Caller) {
  const base = (organisation: string) => ['organisations', organisation, 'identities'];
  return {
    /** Newest first, the ended ones too. */
    list: (organisation: string, filter: { readonly principal?: string } & PageOptions = {}) =>
      caller.json<Page<IdentityDocument>>('GET', base(organisation), { query: { ...filter } }),
    /** Public keys only; the answer holds the platform's statement about them. */
    add: (organisation: string, body: NewIdentityRequest) =>
      caller.json<IdentityDocument>('POST', base(organisation), { body }),
    get: (organisation: string, keyId: string) => caller.json<IdentityDocument>('GET', [...base(organisation), keyId]),
    revoke: (organisation: string, keyId: string) =>
      caller.json<IdentityDocument>('DELETE', [...base(organisation), keyId]),
  };
}

export function operatorCalls(caller: Caller) {
  const path = (id: string) => ['operators', id];
  return {
    list: (page: PageOptions = {}) => caller.json<Page<OperatorDocument>>('GET', ['operators'], { query: { ...page } }),
    create: (body: NewOperatorRequest) => caller.json<NewOperator>('POST', ['operators'], { body }),
    get: (id: string) => caller.json<OperatorDocument>('GET', path(id)),
    update: (id: string, body: { readonly role: OperatorRole }) =>
      caller.json<OperatorDocument>('PATCH', path(id), { body }),
    remove: (id: string) => caller.nothing('DELETE', path(id)),
    suspend: (id: string) => caller.json<OperatorDocument>('POST', [...path(id), 'suspend']),
    resume: (id: string) => caller.json<OperatorDocument>('POST', [...path(id), 'resume']),
    credentials: credentials<string, { readonly expiresIn?: string }>(caller, path),
  };
}

/** Sessions that wait for a one-time code. */
export function unlockCalls(caller: Caller) {
  const base = (organisation: string) => ['organisations', organisation, 'unlocks'];
  return {
    list: (organisation: string) => caller.json<Page<PendingUnlockDocument>>('GET', base(organisation)),
    /** Makes a code that an operator tells to the person at the device; the one before is void. */
    makeCode: (organisation: string, clientId: string) =>
      caller.json<UnlockCodeDocument>('POST', [...base(organisation), clientId, 'code']),
  };
}

export function sessionCalls(caller: Caller) {
  const base = (organisation: string) => ['organisations', organisation, 'sessions'];
  return {
    list: (organisation: string, page: PageOptions = {}) =>
      caller.json<Page<SessionDocument>>('GET', base(organisation), { query: { ...page } }),
    /** Ends the session with this client id and its connection. */
    close: (organisation: string, clientId: string) => caller.nothing('DELETE', [...base(organisation), clientId]),
  };
}
