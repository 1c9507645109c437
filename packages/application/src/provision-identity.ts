import { Failure, type IdentityDocument } from '@sallyport/model';
import { type IdentityFile, type IdentityKeyFile, newIdentityKeys, type SigningAlgorithm } from '@sallyport/trust';
import type { Management } from './management/index.ts';

export interface ProvisionOptions {
  readonly organisation: string;
  /** Written form of an application, device or gateway. */
  readonly principal: string;
  /** `EdDSA` (Ed25519) by default; `ES256` for hardware that has P-256 only. */
  readonly algorithm?: SigningAlgorithm;
  /** `365d` by default. */
  readonly expiresIn?: string;
  /** What is there already: its keys are kept as long as they are in force. */
  readonly previous?: IdentityFile;
  /** Earlier keys end after this time, for example `7d`. */
  readonly overlap?: string;
  /** Milliseconds since the epoch. */
  readonly now?: number;
}

/** Keys that were put on record, and the identity with them: a secret that only its owner may read. */
export interface ProvisionedIdentity {
  readonly file: IdentityFile;
  readonly document: IdentityDocument;
}

/**
 * Makes new keys here, has the platform state whose they are, and gives the identity that holds them. The private keys go nowhere else.
 *
 * @throws Failure of the API
 */
export async function provisionIdentity(
  management: Pick<Management, 'identities'>,
  { organisation, principal, algorithm, expiresIn, previous, overlap, now = Date.now() }: ProvisionOptions,
): Promise<ProvisionedIdentity> {
  const keys = await newIdentityKeys(algorithm);
  const open = ({ d: _, ...jwk }: IdentityKeyFile['signingKey']) => jwk as Readonly<Record<string, string>>;
  const document = await management.identities.add(organisation, {
    principal,
    signingKey: open(keys.signingKey),
    sealingKey: open(keys.sealingKey),
    ...(expiresIn === undefined ? {} : { expiresIn }),
    ...(overlap === undefined ? {} : { overlap }),
  });
  const { keyId, notBefore, notAfter, cose, jws } = document;
  if (cose === undefined || jws === undefined) {
    throw new Failure('key_material_invalid', `The platform made no statement about the key ${keyId}.`);
  }
  // Old statements are taken anew: the overlap has changed their end.
  const kept = await Promise.all((previous?.keys ?? []).map((key) => renewed(management, organisation, key, now)));
  const added = { ...keys, notBefore, notAfter, cose, jws };
  return { document, file: { principal, keys: [added, ...kept.filter((key) => key !== undefined)] } };
}

async function renewed(
  management: Pick<Management, 'identities'>,
  organisation: string,
  key: IdentityKeyFile,
  now: number,
): Promise<IdentityKeyFile | undefined> {
  const { notBefore, notAfter, cose, jws } = await management.identities.get(organisation, key.keyId);
  if (cose === undefined || jws === undefined || Date.parse(notAfter) <= now) return undefined;
  return { ...key, notBefore, notAfter, cose, jws };
}
