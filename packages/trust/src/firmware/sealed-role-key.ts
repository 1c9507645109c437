import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { Failure } from '@sallyport/model';
import { type RoleKey, roleKeyFromPem } from './role-key.ts';

/** 128 MiB and about half a second: a passphrase is short, so each guess must be dear (RFC 7914 section 2). */
const COST = { N: 131_072, r: 8, p: 1, maxmem: 256 * 1024 * 1024 };
const FORMAT = 'sallyport-role-key-1';
const SHORTEST_PASSPHRASE = 12;

interface SealedRoleKey {
  readonly format: typeof FORMAT;
  readonly role: string;
  readonly keyId: string;
  readonly salt: string;
  readonly iv: string;
  readonly tag: string;
  readonly sealed: string;
}

/**
 * Encrypts the key of a role under a passphrase (scrypt, AES-256-GCM), to be kept off the server. Role and key id are bound to it.
 *
 * @throws Failure `invalid_request` if the passphrase has less than 12 characters
 */
export async function sealRoleKey(role: string, key: RoleKey, passphrase: string): Promise<string> {
  if (passphrase.length < SHORTEST_PASSPHRASE) {
    throw new Failure('invalid_request', `The passphrase has less than ${SHORTEST_PASSPHRASE} characters.`, {
      cure: 'Choose a longer one: whoever has the file may guess as often as they like.',
    });
  }
  const salt = randomBytes(16);
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', await derive(passphrase, salt), iv);
  cipher.setAAD(Buffer.from(`${FORMAT}:${role}:${key.keyId}`));
  const sealed = Buffer.concat([cipher.update(key.exportPem(), 'utf8'), cipher.final()]);
  const file: SealedRoleKey = {
    format: FORMAT,
    role,
    keyId: key.keyId,
    salt: salt.toString('base64'),
    iv: iv.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    sealed: sealed.toString('base64'),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Opens what {@link sealRoleKey} wrote. A wrong passphrase, another role or a damaged file is a `key_material_invalid` failure. */
export async function openRoleKey(role: string, text: string, passphrase: string): Promise<RoleKey> {
  const file = read(text);
  if (file.role !== role) {
    throw new Failure('key_material_invalid', `The key file is for the role ${file.role}, not for ${role}.`);
  }
  const decipher = createDecipheriv(
    'aes-256-gcm',
    await derive(passphrase, Buffer.from(file.salt, 'base64')),
    Buffer.from(file.iv, 'base64'),
    { authTagLength: 16 },
  );
  decipher.setAAD(Buffer.from(`${FORMAT}:${role}:${file.keyId}`));
  decipher.setAuthTag(Buffer.from(file.tag, 'base64'));
  let pem: string;
  try {
    pem = Buffer.concat([decipher.update(Buffer.from(file.sealed, 'base64')), decipher.final()]).toString('utf8');
  } catch (cause) {
    throw new Failure('key_material_invalid', `The key of the role ${role} does not open with this passphrase.`, {
      cause,
      cure: 'Check the passphrase; if it is right, the file is damaged: take another copy of it.',
    });
  }
  return roleKeyFromPem(pem);
}

/** The id of the key in a sealed file, without opening it: opening is dear. Anything else is a `key_material_invalid` failure. */
export function sealedRoleKeyId(text: string): string {
  return read(text).keyId;
}

function read(text: string): SealedRoleKey {
  try {
    const file = JSON.parse(text) as SealedRoleKey;
    const texts = [file.role, file.keyId, file.salt, file.iv, file.tag, file.sealed];
    if (file.format === FORMAT && texts.every((one) => typeof one === 'string')) return file;
  } catch {
    // Said below.
  }
  throw new Failure('key_material_invalid', 'The file holds no encrypted key of a firmware role.');
}

function derive(passphrase: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, 32, COST, (error, key) => (error ? reject(error) : resolve(key)));
  });
}
