import type { ClientId, Principal, RefusalReason, TraceStep } from '@sallyport/model';
import type { Grants } from '@sallyport/policy';
import type { CredentialKind } from '../events/events.ts';
import type { TransportFacts } from '../events/transport-facts.ts';
import type { Exchange } from './exchange.ts';
import type { TokenNames } from './known-issuer.ts';

/** What a client has put forward. Nothing in it has been checked yet. */
export interface Evidence {
  readonly clientId: ClientId;
  readonly username?: string;
  readonly password?: Uint8Array;
  readonly transport: TransportFacts;
  /** What is wrong with a client id that begins like one of the Watson IoT Platform; `clientId` is then a plain one. */
  readonly clientIdProblem?: string;
  /** The client named an authentication method: it answers what the method asks. */
  readonly exchange?: Exchange;
}

/** A certificate that was verified, and what it leans on. Small and without bytes: it is kept with the session. */
export interface CertificateGrounds {
  /** `builtin` for the authority of this server, `pinned`, or the SHA-256 of the trusted authority that it led to. */
  readonly authority: string;
  /** SHA-256 of the DER, lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly issuerNameHash: string;
  readonly serial: string;
  /** The certificate and those above it, without the trusted one, by issuer and serial. */
  readonly path: readonly { readonly issuerNameHash: string; readonly serial: string }[];
  /** When the first of them ends; milliseconds since the epoch. */
  readonly notAfter: number;
}

/** The authorization server whose access token a session stands on. */
export interface IssuerGrounds {
  readonly id: string;
  /** Of its settings: when they change, the token has to be judged anew. */
  readonly version: number;
  /** SHA-256 of the token in base64url, where the issuer is asked whether it is still active. */
  readonly token?: string;
  /** The same token under the key of the server, to ask about it after a restart. */
  readonly sealed?: string;
  /** Of the token, where its issuer says of itself which it has revoked. */
  readonly names?: TokenNames;
}

/** Grounds on which a session stands. It ends with them. */
export interface Grounds {
  readonly principal: Principal;
  readonly credential: string;
  readonly credentialKind: CredentialKind;
  readonly roles: readonly string[];
  /** Every kind of proof that was shown and accepted; absent: that of the credential alone. */
  readonly proofs?: readonly ('certificate' | 'token')[];
  /** Present if a certificate is among the proofs. */
  readonly certificate?: CertificateGrounds;
  /** Present if the session began under the demand for a one-time code. */
  readonly presence?: 'demanded';
  /** Milliseconds since the epoch; absent if the credential does not expire. */
  readonly expiresAt?: number;
  /** Present if an access token is among the proofs. */
  readonly issuer?: IssuerGrounds;
  /** Milliseconds after which the grounds are to be judged anew, again and again. */
  readonly judgedFor?: number;
  /** What may be done at most, by the word of whoever issued the proof; absent: whatever the policy permits. */
  readonly grants?: Grants;
  /** What a directory or database granted when the session opened, as one text to compare with what it grants later. */
  readonly directoryGrants?: string;
}

export type Verdict =
  | {
      readonly outcome: 'accepted';
      readonly grounds: Grounds;
      readonly step: TraceStep;
      /** The client id that the proof gives the client in place of the one in CONNECT. */
      readonly clientId?: ClientId;
    }
  | {
      readonly outcome: 'rejected';
      readonly reason: RefusalReason;
      readonly step: TraceStep;
      /** What to do next; replaces the general cure of the reason. */
      readonly cure?: string;
    }
  | { readonly outcome: 'abstained'; readonly step: TraceStep };

/**
 * One way of proving an identity.
 *
 * Abstain only when the evidence is of another kind; a doubt is a rejection. Throw only when a dependency is
 * broken: that refuses the connection, and no later authenticator is asked. A verdict that needs no waiting is
 * returned as it is, so that a token login costs no turn of the event loop.
 */
export interface Authenticator {
  readonly name: string;
  /** Evidence that is to be judged even where another proof is enough, as it may narrow what the client may do. */
  insists?(evidence: Evidence): boolean;
  authenticate(evidence: Evidence): Verdict | Promise<Verdict>;
}
