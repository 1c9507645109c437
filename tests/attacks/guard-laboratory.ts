import { type DeviceStore, memoryStore, Protection, type ProtectionOptions } from '@sallyport/device';
import {
  type CertificateAuthority,
  createIntermediateAuthority,
  createRootAuthority,
  generateKeyPair,
  type Identity,
  issueClientCertificate,
  type KeyPair,
  newIdentityKeys,
  readIdentity,
  type SignedCommand,
  type Signer,
  type Statement,
  sealingPublicKeyOf,
  signCommand,
  signerOf,
  signStatement,
  toBase64url,
  verificationKeyOf,
} from '@sallyport/trust';

const YEAR = 365 * 86_400_000;
/** A time that stands still unless a test moves it. */
export const NOW = Date.parse('2026-03-01T12:00:00Z');
export const PUMP = 'device:demo/pump/pump-7';
export const DESK = 'application:demo/desk';
export const TOPIC = 'iot-2/type/pump/id/pump-7/cmd/restart/fmt/cose';

/** A platform with an authority for each of two organisations, made anew for each test file. */
export async function platform() {
  const root = await createRootAuthority({ commonName: 'Sallyport root', now: NOW - YEAR, validity: 20 * YEAR });
  const below = (commonName: string) =>
    createIntermediateAuthority({ authority: root, commonName, now: NOW - YEAR, validity: 10 * YEAR });
  return {
    root,
    demo: await below('Sallyport demo 0a1b2c3d'),
    other: await below('Sallyport other 4e5f6a7b'),
  };
}

export async function signerOfPair({ privateKey, publicKey }: KeyPair): Promise<Signer> {
  return {
    publicKey: { algorithm: 'ES256', bytes: new Uint8Array(await crypto.subtle.exportKey('raw', publicKey)) },
    sign: async (message) =>
      new Uint8Array(
        await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, Uint8Array.from(message)),
      ),
  };
}

/** New keys of a principal with a statement by an authority. */
export async function identityOf(
  authority: CertificateAuthority,
  principal: string,
  change: Partial<Statement> = {},
): Promise<{
  readonly identity: Identity;
  readonly signer: Signer;
  readonly keyId: string;
  readonly statement: Statement;
}> {
  const keys = await newIdentityKeys();
  const signer = await signerOf(keys.signingKey);
  const signingKey = verificationKeyOf(keys.signingKey);
  const sealingKey = sealingPublicKeyOf(keys.sealingKey);
  if (!signer || !signingKey || !sealingKey) throw new Error('no keys');
  const statement: Statement = {
    principal,
    keyId: keys.keyId,
    signingKey,
    sealingKey,
    notBefore: NOW - 86_400_000,
    notAfter: NOW + YEAR,
    issuedAt: NOW - 86_400_000,
    revoked: [],
    ...change,
  };
  const by = await signerOfPair(authority.keys);
  const state = (encoding: 'cose' | 'jws') => signStatement(encoding, statement, by, authority.intermediates);
  const identity = await readIdentity(
    JSON.stringify({
      principal,
      keys: [
        {
          ...keys,
          notBefore: new Date(statement.notBefore).toISOString(),
          notAfter: new Date(statement.notAfter).toISOString(),
          cose: toBase64url(await state('cose')),
          jws: new TextDecoder().decode(await state('jws')),
        },
      ],
    }),
  );
  return { identity, signer, keyId: keys.keyId, statement };
}

/** A certificate of a device below an authority, as an authority that it is not. */
export async function deviceAsAuthority(authority: CertificateAuthority) {
  const keys = await generateKeyPair();
  const { pem, chainPem } = await issueClientCertificate({
    authority,
    publicKey: keys.publicKey,
    commonName: 'd:pump:pump-8',
    now: NOW,
    validity: YEAR / 12,
  });
  return { keys, pem, chainPem };
}

/** The guard of pump-7, with what it sends. Its clock is `clock.now`. */
export async function guardOf(
  root: CertificateAuthority,
  options: Omit<ProtectionOptions, 'root'> = {},
  clock: { now: number } = { now: NOW },
) {
  const sent: { readonly name: string; readonly format: string; readonly bytes: Uint8Array }[] = [];
  const guard = await Protection.open(
    {
      applications: [{ application: 'desk', commands: ['+'] }],
      store: memoryStore(),
      now: () => clock.now,
      ...options,
      root: root.pem,
    },
    { organisation: 'demo', kind: 'device', type: 'pump', id: 'pump-7' },
    async (name, format, bytes) => void sent.push({ name, format, bytes }),
  );
  const judge = (name: string, format: string, bytes: Uint8Array) => guard.judge(name, format, bytes);
  return {
    guard,
    sent,
    judge,
    /** What becomes of a command: `valid`, or the reason. */
    async outcome(bytes: Uint8Array, name = 'restart', format = 'cose'): Promise<string> {
      const verdict = await judge(name, format, bytes);
      return verdict.outcome === 'invalid' ? verdict.reason : verdict.outcome;
    },
    introduce: (identity: Identity, format: 'cose' | 'jws' = 'cose') => {
      const [key] = identity.keys;
      if (!key) throw new Error('no key');
      return judge('sallyport-identity', format, key.statement[format]);
    },
  };
}

/** A store that fails or is looked into. */
export function openStore(): DeviceStore & { content: unknown; failing: boolean } {
  const store = {
    content: undefined as unknown,
    failing: false,
    read: async () => (store.content === undefined ? undefined : structuredClone(store.content)),
    async write(value: unknown) {
      if (store.failing) throw new Error('full');
      store.content = structuredClone(value);
    },
  };
  return store;
}

let sequence = 0;
/** A command of desk to pump-7, with what a test changes. */
export function commandBy(
  { signer, keyId }: { readonly signer: Signer; readonly keyId: string },
  change: Partial<SignedCommand> = {},
  encoding: 'cose' | 'jws' = 'cose',
): Promise<Uint8Array<ArrayBuffer>> {
  return signCommand(
    encoding,
    {
      application: DESK,
      device: PUMP,
      topic: encoding === 'cose' ? TOPIC : TOPIC.replace(/cose$/, 'jws'),
      sequence: ++sequence,
      issuedAt: NOW,
      expiresAt: NOW + 60_000,
      format: 'json',
      content: new TextEncoder().encode('{"delay":5}'),
      ...change,
    },
    signer,
    keyId,
  );
}
