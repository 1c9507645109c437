import { createPrivateKey, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { KnownIssuer } from './known-issuer.ts';

/** What goes with a question to an issuer, so that it knows who asks. */
export interface ClientProof {
  readonly headers: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
}

export interface IssuerClientOptions {
  /** Reads a file of the folder of secrets; rejects if it is not there, or others can read it. */
  readonly readSecret: (name: string) => string | Promise<string>;
  readonly now: () => number;
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const ASSERTION_LIFE = 60;

/** Proves this server to an issuer: by client secret (RFC 6749 section 2.3.1), or `private_key_jwt` (RFC 7523). */
export function issuerClient({ readSecret, now }: IssuerClientOptions): (issuer: KnownIssuer) => Promise<ClientProof> {
  return async ({ issuer, introspection }) => {
    if (introspection === undefined) return { headers: {}, form: {} };
    const { clientId, secretFile, keyFile } = introspection;
    if (secretFile !== undefined) {
      const secret = (await readSecret(secretFile)).trim();
      const pair = `${formEncoded(clientId)}:${formEncoded(secret)}`;
      return { headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }, form: {} };
    }
    if (keyFile === undefined) throw new Error('neither a client secret nor a key is set');
    const key = createPrivateKey(await readSecret(keyFile));
    const seconds = Math.floor(now() / 1000);
    const assertion = await new SignJWT()
      .setProtectedHeader({ alg: algorithmOf(key.asymmetricKeyType, key.asymmetricKeyDetails?.namedCurve) })
      .setIssuer(clientId)
      .setSubject(clientId)
      .setAudience(issuer)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + ASSERTION_LIFE)
      .setJti(randomUUID())
      .sign(key);
    return {
      headers: {},
      form: { client_id: clientId, client_assertion_type: ASSERTION_TYPE, client_assertion: assertion },
    };
  };
}

function algorithmOf(kind: string | undefined, curve: string | undefined): string {
  if (kind === 'ed25519') return 'EdDSA';
  if (kind === 'rsa') return 'PS256';
  if (kind === 'ec' && curve === 'prime256v1') return 'ES256';
  if (kind === 'ec' && curve === 'secp384r1') return 'ES384';
  throw new Error('the key is of a kind that signs no assertions here; use P-256, P-384, Ed25519 or RSA');
}

/** RFC 6749 appendix B. */
function formEncoded(text: string): string {
  return new URLSearchParams({ '': text }).toString().slice(1);
}
