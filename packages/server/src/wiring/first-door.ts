import { randomBytes } from 'node:crypto';
import { SCRAM_HASHES } from '@sallyport/trust/secrets';
import { applicationKeyAuthenticator } from '../authentication/application-key.ts';
import { certificateAuthenticator } from '../authentication/certificate.ts';
import type { CertificateTrust } from '../authentication/certificate-standing.ts';
import { deviceTokenAuthenticator } from '../authentication/device-token.ts';
import type { ExchangeMethod } from '../authentication/exchange-method.ts';
import { passwordAuthenticator } from '../authentication/password.ts';
import type { RegisterUnknown } from '../authentication/register-unknown.ts';
import { type Requirement, requirement } from '../authentication/requirement.ts';
import { scramMethod } from '../authentication/scram.ts';
import type { Issuer } from '../authority/authority.ts';
import type { Installation } from '../installation.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { Directories } from './directories.ts';

/** What client certificates are judged by: the registry and the authority of this server, as functions. */
export function certificateTrust({
  registry,
  authority,
}: Pick<Installation, 'registry' | 'authority'>): CertificateTrust {
  const { certificateLookup } = registry;
  let known: readonly Issuer[] = [];
  let bySubject = new Map<string, Uint8Array[]>();
  let fingerprints = new Set<string>();
  /** With an authority for each organisation there may be thousands; they change when one comes or goes. */
  function followIssuers(): void {
    const issuers = authority.issuers();
    if (issuers === known) return;
    known = issuers;
    bySubject = new Map();
    for (const { certificate } of issuers) {
      const { subjectNameHash: subject } = certificate;
      bySubject.set(subject, [...(bySubject.get(subject) ?? []), certificate.der]);
    }
    fingerprints = new Set(issuers.map(({ certificate }) => certificate.fingerprintSha256));
  }
  return {
    findBuiltIn(subjects) {
      followIssuers();
      return [...subjects].flatMap((subject) => bySubject.get(subject) ?? []);
    },
    isBuiltIn(fingerprint) {
      followIssuers();
      return fingerprints.has(fingerprint);
    },
    findAuthorities: (wanted) => certificateLookup.findBySubject(wanted),
    trusts: (organisation, fingerprint) => certificateLookup.trusts(organisation, fingerprint),
    findBySerial: (name) => certificateLookup.findBySerial(name),
    findPin: (fingerprint) => certificateLookup.findPin(fingerprint),
  };
}

export interface FirstDoorOptions extends Pick<Installation, 'registry' | 'tokens' | 'passwords'> {
  readonly trust: CertificateTrust;
  readonly registerUnknown: RegisterUnknown;
  readonly accessTokens: AccessTokens;
  /** By which a client gives a one-time code, after it has proven who it is. */
  readonly presence: ExchangeMethod;
  readonly directories: Pick<Directories, 'authenticators' | 'orderOf'>;
  readonly now: () => number;
}

/** Who are you: every way of proving an identity, in the order in which it is asked. */
export function firstDoor({
  registry: { lookup },
  trust,
  registerUnknown,
  accessTokens,
  presence,
  tokens,
  passwords,
  directories,
  now,
}: FirstDoorOptions): Requirement {
  const findPrincipal = (name: string) => lookup.byPrincipal(name);
  const organisationExists = (id: string) => lookup.organisationExists(id);
  return requirement({
    orderOf: directories.orderOf,
    findPrincipal,
    organisationExists,
    now,
    methods: [
      accessTokens.method,
      presence,
      ...SCRAM_HASHES.map((hash) =>
        scramMethod({
          hash,
          findByUsername: (name) => lookup.byUsername(name),
          decoy: (text) => tokens.hash(text),
          nonce: () => randomBytes(18).toString('base64'),
          now,
        }),
      ),
    ],
    authenticators: [
      {
        proof: 'certificate',
        authenticator: certificateAuthenticator({ trust, findPrincipal, organisationExists, registerUnknown, now }),
      },
      { proof: 'token', authenticator: accessTokens.authenticator },
      { proof: 'token', authenticator: deviceTokenAuthenticator({ findPrincipal, tokens, now }) },
      {
        proof: 'token',
        authenticator: applicationKeyAuthenticator({ findByKey: (key) => lookup.byApplicationKey(key), tokens, now }),
      },
      // Before passwords, which answer for every user name.
      ...directories.authenticators.map((authenticator) => ({ proof: 'token' as const, authenticator })),
      {
        proof: 'token',
        authenticator: passwordAuthenticator({
          findByUsername: (name) => lookup.byUsername(name),
          findPrincipal,
          tokens,
          verifyHash: (password, hash) => passwords.matches(password, hash),
          decoyHash: passwords.decoy,
          now,
        }),
      },
    ],
  });
}
