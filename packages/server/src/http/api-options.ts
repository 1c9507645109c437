import type { SecureContextOptions, TlsOptions } from 'node:tls';
import type {
  Explanation,
  FieldProblem,
  Health,
  Page,
  PolicyCheck,
  Question,
  RevocationChange,
  RevocationSourceDocument,
  SessionDocument,
} from '@sallyport/model';
import type { Refusals } from '../audit/refusals.ts';
import type { Trail } from '../audit/trail.ts';
import type { OperatorVerdict } from '../authentication/operator-token.ts';
import type { UnlockDesk } from '../authentication/unlock-desk.ts';
import type { Issuer } from '../authority/authority.ts';
import type { ServerEvent } from '../events/events.ts';
import type { FirmwareDesk } from '../firmware/firmware-desk.ts';
import type { Rollouts } from '../firmware/rollouts.ts';
import type { GuessGuard } from '../guessing/guess-guard.ts';
import type { Alerts } from '../incidents/alerts.ts';
import type { Incidents } from '../incidents/incidents.ts';
import type { AddressLists } from '../lists/address-lists.ts';
import type { Countries } from '../lists/countries.ts';
import type { AuthorizationServer } from '../oauth/authorization-server.ts';
import type { CertificateRecord, Claim, TrustedAuthority } from '../registry/records.ts';
import type { Registry } from '../registry/registry.ts';
import type { EnrolmentDesk } from './enrolment-desk.ts';
import type { FirmwareDoorOptions } from './firmware-door.ts';
import type { IdentityDesk } from './identity-desk.ts';
import type { AnswerPublished } from './published-objects.ts';
import type { ServerCertificateDesk } from './server-certificate-desk.ts';

/** The live sessions, as the broker knows them. */
interface SessionDesk {
  /** In the order of client ids, those after `after`. */
  list(
    organisation: string,
    page: { readonly limit: number; readonly after?: string },
  ): Page<SessionDocument> | Promise<Page<SessionDocument>>;
  /** Ends the connection and the session with it. False if there is none with this client id. */
  close(organisation: string, clientId: string, by: string): boolean | Promise<boolean>;
}

/** Built-in statements and the compiler of policy texts. */
export interface PolicyDesk {
  /** The built-in policy as text. */
  readonly builtin: string;
  /** What is wrong with a text; empty if it may be saved. Positions count from 1. */
  check(text: string): readonly FieldProblem[];
  /** The statements of a text that open very much; none if it may not be saved. */
  broad(text: string): PolicyCheck['broad'];
}

/** An authority of this server. */
export type BuiltInAuthority = Pick<Issuer, 'certificate' | 'succeededBy'>;

/** Reads, judges and records certificates. Certificates and requests are PEM texts; failures name what is wrong with them. */
export interface CertificateDesk {
  /** The authorities of this server whose client certificates the organisation takes; that of the organisation first. */
  builtIn(organisation: string): readonly BuiltInAuthority[];
  addAuthority(input: {
    organisation: string;
    certificate: string;
    revocation?: RevocationChange;
    by: string;
  }): Promise<TrustedAuthority>;
  /** Counts one certificate of this operator. Milliseconds to wait if there were too many, else 0. */
  waitToIssue(by: string): number;
  /** `validity` in milliseconds. */
  issue(input: { principal: string; csr: string; validity?: number; by: string }): Promise<{
    readonly record: CertificateRecord;
    readonly pem: string;
    readonly chainPem: string;
  }>;
  /** `validity` in milliseconds. */
  issueClaim(input: {
    organisation: string;
    type: string;
    maximum: number;
    csr: string;
    validity?: number;
    by: string;
  }): Promise<{ readonly claim: Claim; readonly pem: string; readonly chainPem: string }>;
  pin(input: { principal: string; certificate: string; by: string }): Promise<CertificateRecord>;
  /** Revokes what another authority issued: the certificate itself, or a serial of one that is trusted, by its SHA-256. */
  revokeForeign(
    input: { organisation: string; by: string } & ({ certificate: string } | { authority: string; serial: string }),
  ): Promise<CertificateRecord>;
}

/** Firmware as the API administers it. */
export type FirmwareService = Pick<
  FirmwareDesk,
  | 'describe'
  | 'initialise'
  | 'signing'
  | 'replaceRoot'
  | 'replaceTargets'
  | 'received'
  | 'upload'
  | 'list'
  | 'release'
  | 'get'
  | 'remove'
>;

/** Rollouts as the API administers them. */
export type RolloutService = Pick<Rollouts, 'start' | 'resume' | 'halt' | 'abort' | 'get' | 'list' | 'devices'>;

/** What {@link buildApi} is built from. It opens nothing and starts nothing by itself. */
export interface ApiOptions {
  readonly version: string;
  /** Key, certificate chain, versions and suites. A new pair is set on the running server with `app.server.setSecureContext`. */
  readonly tls: SecureContextOptions & Pick<TlsOptions, 'SNICallback'>;
  readonly registry: Registry;
  readonly trail: Pick<Trail, 'query'>;
  readonly refusals: Pick<Refusals, 'refuse' | 'find' | 'list'>;
  readonly sessions: SessionDesk;
  readonly unlocks: Pick<UnlockDesk, 'list' | 'makeCode'>;
  readonly policy: PolicyDesk;
  readonly addressLists: {
    readonly lists: Pick<AddressLists, 'add' | 'remove' | 'use' | 'judge' | 'describe'>;
    readonly countries: Pick<Countries, 'of' | 'describe'>;
  };
  readonly incidents: Pick<Incidents, 'list' | 'get' | 'contain' | 'release' | 'resolve'>;
  readonly alerts: Pick<Alerts, 'describe' | 'test'>;
  readonly guesses: Pick<GuessGuard, 'list' | 'release' | 'failed' | 'passed'>;
  readonly certificates: CertificateDesk;
  readonly serverCertificates: ServerCertificateDesk;
  readonly firmware: FirmwareService;
  readonly rollouts: RolloutService;
  /** The door through which devices get firmware; without it there is none. */
  readonly firmwareDoor?: Pick<FirmwareDoorOptions, 'file' | 'authenticate' | 'maximumDownloads'>;
  /** Absent if no organisation has one. */
  readonly oauth?: AuthorizationServer | undefined;
  readonly identities: IdentityDesk;
  /** Left out, nobody enrols. */
  readonly enrolment?: EnrolmentDesk;
  readonly explain: (question: Question) => Explanation | Promise<Explanation>;
  readonly health: () => Health | Promise<Health>;
  readonly metricsText: () => string | Promise<string>;
  /** Resolves when what a change brings about has come about everywhere; a change is answered then. Left out: at once. */
  readonly settled?: () => Promise<void>;
  /** How the revocation lists of an imported authority stand, by its SHA-256. */
  readonly revocationLists: (authority: string) => readonly RevocationSourceDocument[];
  /** Fetches its lists, and asks its responders about the certificates that were seen, now. */
  readonly renewRevocation: (authority: string) => Promise<void>;
  /** Answers below `/pki`, to everybody. */
  readonly published: AnswerPublished;
  readonly authenticateOperator: (token: string) => OperatorVerdict | Promise<OperatorVerdict>;
  readonly emit: (event: ServerEvent) => void;
  readonly now: () => number;
  /** Failed authentications of one address: how many at once, and after how many milliseconds one more. */
  readonly attempts?: { readonly burst: number; readonly refill: number };
}

/** What the routes need of {@link ApiOptions}. */
export type Services = Pick<
  ApiOptions,
  | 'registry'
  | 'trail'
  | 'refusals'
  | 'sessions'
  | 'unlocks'
  | 'policy'
  | 'addressLists'
  | 'guesses'
  | 'incidents'
  | 'alerts'
  | 'certificates'
  | 'serverCertificates'
  | 'firmware'
  | 'rollouts'
  | 'oauth'
  | 'identities'
  | 'explain'
  | 'emit'
  | 'health'
  | 'metricsText'
  | 'revocationLists'
  | 'renewRevocation'
>;
