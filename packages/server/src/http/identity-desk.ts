import { Failure, type IdentityDocument } from '@sallyport/model';
import {
  type CertificateAuthority,
  jwkOf,
  keyIdOf,
  MOST_REVOKED,
  type Signer,
  type Statement,
  sealingPublicKeyOf,
  signStatement,
  toBase64url,
  verificationKeyOf,
} from '@sallyport/trust';
import type { IdentityRecord } from '../registry/records.ts';
import type { Registry } from '../registry/registry.ts';

export interface IdentityDeskOptions {
  readonly identities: Registry['identities'];
  /** The authority that speaks for an organisation. */
  readonly issuerOf: (organisation: string) => Promise<CertificateAuthority>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Puts public keys on record and states whose they are. Private keys never come here. */
export interface IdentityDesk {
  /** Keys are public JWK: Ed25519 or P-256, and X25519. `invalid_request` if they are not. */
  add(input: {
    readonly principal: string;
    readonly signingKey: Readonly<Record<string, string>>;
    readonly sealingKey?: Readonly<Record<string, string>>;
    readonly notAfter: number;
    readonly endEarlierAt?: number;
    readonly by: string;
  }): Promise<IdentityRecord>;
  /** The record with the statement of this moment, if the key is in force. */
  document(record: IdentityRecord): Promise<IdentityDocument>;
}

export function identityDesk({ identities, issuerOf, now }: IdentityDeskOptions): IdentityDesk {
  return {
    async add({ signingKey, sealingKey, ...rest }) {
      if ('d' in signingKey || 'd' in (sealingKey ?? {})) {
        throw new Failure('invalid_request', 'A private key was sent.', {
          cure: 'It is not a secret any more: make a new one, and send the public members only.',
        });
      }
      const signing = verificationKeyOf(signingKey);
      const sealing = sealingKey && sealingPublicKeyOf(sealingKey);
      if (signing === undefined) throw unfit('signingKey', 'a public JWK on Ed25519 or P-256');
      if (sealingKey !== undefined && sealing === undefined) throw unfit('sealingKey', 'a public JWK on X25519');
      return identities.add({
        ...rest,
        keyId: await keyIdOf(signing.bytes, sealing),
        algorithm: signing.algorithm,
        signingKey: signing.bytes,
        ...(sealing === undefined ? {} : { sealingKey: sealing }),
      });
    },

    async document(record) {
      const { signingKey, sealingKey, notBefore, notAfter, createdAt, revokedAt, organisation: _, ...rest } = record;
      const key = { algorithm: record.algorithm, bytes: signingKey };
      const time = (at: number) => new Date(at).toISOString();
      const document: IdentityDocument = {
        ...rest,
        signingKey: jwkOf(key),
        ...(sealingKey === undefined ? {} : { sealingKey: { kty: 'OKP', crv: 'X25519', x: toBase64url(sealingKey) } }),
        notBefore: time(notBefore),
        notAfter: time(notAfter),
        createdAt: time(createdAt),
        ...(revokedAt === undefined ? {} : { revokedAt: time(revokedAt) }),
      };
      if (revokedAt !== undefined || notAfter <= now()) return document;
      const authority = await issuerOf(record.organisation);
      const statement: Statement = {
        principal: record.principal,
        keyId: record.keyId,
        signingKey: key,
        ...(sealingKey === undefined ? {} : { sealingKey }),
        notBefore,
        notAfter,
        issuedAt: now(),
        revoked: await identities.revokedOf(record.principal, MOST_REVOKED),
      };
      const signer = await signerOfAuthority(authority);
      const state = (encoding: 'cose' | 'jws') => signStatement(encoding, statement, signer, authority.intermediates);
      return {
        ...document,
        cose: toBase64url(await state('cose')),
        jws: new TextDecoder().decode(await state('jws')),
      };
    },
  };
}

/** The key of an authority as it signs statements: ES256, r and s of 32 bytes each. */
async function signerOfAuthority({ keys }: CertificateAuthority): Promise<Signer> {
  const bytes = new Uint8Array(await crypto.subtle.exportKey('raw', keys.publicKey));
  return {
    publicKey: { algorithm: 'ES256', bytes },
    sign: async (message) =>
      new Uint8Array(
        await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, keys.privateKey, Uint8Array.from(message)),
      ),
  };
}

function unfit(field: string, form: string): Failure {
  return new Failure('invalid_request', `${field}: it is not ${form}.`);
}
