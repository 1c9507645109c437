import { Failure } from '@sallyport/model';

/** Signs where the key is, in a chip or a key service: nothing but what is to be signed goes there. */
export interface ClientSigner {
  readonly algorithm: 'ES256' | 'EdDSA';
  /** Signs the bytes themselves, SHA-256 included for ES256. Answers r and s (64 bytes) or, as key services do for ES256, both in DER. */
  readonly sign: (data: Uint8Array) => Uint8Array | Promise<Uint8Array>;
}

export interface AssertionFacts {
  readonly clientId: string;
  readonly issuer: string;
  /** `kid` in the header. */
  readonly keyId?: string | undefined;
}

/** Seconds. */
const LIFE = 60;
const SIGNATURE_LENGTH = 64;

/**
 * A signed statement of a client about itself for one authorization server (`private_key_jwt`, RFC 7523 section 3), good for a minute and once.
 *
 * @throws Failure `key_material_invalid` if what was answered is no signature; whatever the signer throws
 */
export async function clientAssertion(facts: AssertionFacts, { algorithm, sign }: ClientSigner): Promise<string> {
  const { clientId, issuer, keyId } = facts;
  const seconds = Math.floor(Date.now() / 1000);
  const header = { alg: algorithm, ...(keyId === undefined ? {} : { kid: keyId }) };
  const claims = {
    iss: clientId,
    sub: clientId,
    aud: issuer,
    iat: seconds,
    exp: seconds + LIFE,
    jti: crypto.randomUUID(),
  };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sideBySide(await sign(new TextEncoder().encode(text)), algorithm);
  return `${text}.${Buffer.from(signature).toString('base64url')}`;
}

/**
 * Signs with a private key in PKCS#8 PEM that is at hand.
 *
 * @throws Failure `key_material_invalid`
 */
export async function signerAtHand(privateKey: string): Promise<ClientSigner> {
  const { createPrivateKey, sign } = await import('node:crypto');
  let key: ReturnType<typeof createPrivateKey>;
  try {
    key = createPrivateKey(privateKey);
  } catch (cause) {
    throw new Failure('key_material_invalid', 'The private key of the client cannot be read.', {
      cause,
      cure: 'Give it in PEM, without a passphrase: openssl genpkey -algorithm ed25519.',
    });
  }
  const isEd25519 = key.asymmetricKeyType === 'ed25519';
  if (!isEd25519 && key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Failure('key_material_invalid', `A key of the type ${key.asymmetricKeyType} signs no assertions here.`, {
      cure: 'Use Ed25519 or P-256: openssl genpkey -algorithm ed25519.',
    });
  }
  return {
    algorithm: isEd25519 ? 'EdDSA' : 'ES256',
    sign: (data) => sign(isEd25519 ? null : 'sha256', data, { key, dsaEncoding: 'ieee-p1363' }),
  };
}

/** JWS wants r and s side by side (RFC 7518 section 3.4). */
function sideBySide(signature: unknown, algorithm: ClientSigner['algorithm']): Uint8Array {
  if (signature instanceof Uint8Array) {
    if (signature.length === SIGNATURE_LENGTH) return signature;
    const both = algorithm === 'ES256' ? fromDer(signature) : undefined;
    if (both !== undefined) return both;
  }
  const what = signature instanceof Uint8Array ? `${signature.length} bytes` : `a ${typeof signature}`;
  throw new Failure('key_material_invalid', `The signer answered ${what}, which is no signature of ${algorithm}.`, {
    cure: 'Answer r and s as 64 bytes, or for ES256 in DER, with a key on P-256 or Ed25519 as `algorithm` says.',
  });
}

/** ECDSA-Sig-Value of RFC 3279 section 2.2.3 on P-256, whose lengths have one byte each. */
function fromDer(der: Uint8Array): Uint8Array | undefined {
  const both = new Uint8Array(SIGNATURE_LENGTH);
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
  let at = 2;
  for (const end of [SIGNATURE_LENGTH / 2, SIGNATURE_LENGTH]) {
    const length = der[at + 1] ?? 0;
    const whole = der.subarray(at + 2, at + 2 + length);
    const number = whole[0] === 0 ? whole.subarray(1) : whole;
    if (der[at] !== 0x02 || length === 0 || whole.length !== length || number.length > 32) return undefined;
    both.set(number, end - number.length);
    at += 2 + length;
  }
  return at === der.length ? both : undefined;
}
