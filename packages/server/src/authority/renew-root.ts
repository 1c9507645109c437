import { join } from 'node:path';
import { Failure } from '@sallyport/model';
import { type CertificateFacts, readCertificate, renewRootAuthority } from '@sallyport/trust';
import { readTextFile, writePrivateFile } from './key-files.ts';
import { rootKey } from './root-key.ts';

const YEARS = 20 * 365 * 24 * 60 * 60_000;

/** What {@link renewRoot} has done. */
export interface RenewedRoot {
  readonly before: CertificateFacts;
  readonly now: CertificateFacts;
  /** Where the certificate of before was put. */
  readonly kept: string;
}

/**
 * Certifies the root anew for twenty years, under its name and with its key, in the folder of the key material. Certificates of before lead to
 * both; clients must have the new one before the old one ends. `root_key_absent` if the key is offline.
 */
export async function renewRoot({
  directory,
  now,
}: {
  readonly directory: string;
  readonly now: number;
}): Promise<RenewedRoot> {
  const path = join(directory, 'root.pem');
  const pem = await readTextFile(path);
  if (pem === undefined) throw new Failure('key_material_invalid', `${path} is missing`);
  const read = await readCertificate(pem);
  if (!read.ok) throw new Failure('key_material_invalid', `${path} is damaged: ${read.problem}`);
  const before = read.value;
  const authority = await rootKey(directory, before).open('The renewal of the root');
  const renewed = await renewRootAuthority(authority, { now, validity: YEARS });
  const kept = join(directory, `root-${before.fingerprintSha256.slice(0, 16)}.pem`);
  await writePrivateFile(kept, pem);
  await writePrivateFile(path, renewed.pem);
  return { before, now: renewed.certificate, kept };
}
