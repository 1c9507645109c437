import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type CertificateAuthority, type CertificateFacts, keyPairToPem } from '@sallyport/trust';
import { loadIssuer, requiredCertificate } from './certificate-files.ts';
import { refuseOpenFolder, writePrivateFolder } from './key-files.ts';

const SUCCESSOR = /^successor-([1-9][0-9]{0,3})$/;

/** Where an authority lies: the first of its line in two files, each successor in a folder of its own below, which appears whole. */
export interface LinePlace {
  readonly folder: string;
  readonly certificate: string;
  readonly key: string;
}

/** Where the authority lies that issues the server's own certificate. */
export function serverLine(directory: string): LinePlace {
  return { folder: directory, certificate: 'intermediate.pem', key: 'intermediate-key.pem' };
}

/** An authority with those before it. The current one signs; the earlier ones still vouch, until their end, for what they signed. */
export interface AuthorityLine {
  readonly current: CertificateAuthority;
  /** In force still, the newest first. */
  readonly earlier: readonly CertificateAuthority[];
  /** How many there have been. */
  readonly generations: number;
}

/** A line of which none is in force any more. */
export interface EndedLine {
  readonly current: undefined;
  /** The one that ended last. */
  readonly last: CertificateFacts;
  readonly generations: number;
}

/**
 * Reads a line; those that have ended are passed over. Damaged files, files open to others or of another root are `key_material_invalid`
 * failures.
 */
export async function loadLine(
  { folder, certificate, key }: LinePlace,
  root: CertificateFacts,
  now: number,
): Promise<AuthorityLine | EndedLine> {
  const numbers = (await readdir(folder).catch(() => []))
    .flatMap((name) => SUCCESSOR.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
  const folders = numbers.map((number) => join(folder, `successor-${number}`));
  const inForce: CertificateAuthority[] = [];
  const ended: CertificateFacts[] = [];
  for (const [index, at] of [folder, ...folders].entries()) {
    const path = join(at, certificate);
    if (index > 0) await refuseOpenFolder(at);
    const { facts } = await requiredCertificate(path);
    if (facts.notAfter < now) {
      ended.push(facts);
      continue;
    }
    inForce.unshift(await loadIssuer(path, join(at, key), root, now));
  }
  const generations = 1 + (numbers.at(-1) ?? 0);
  const [current, ...earlier] = inForce;
  if (current) return { current, earlier, generations };
  // There is always a first one; that it is missing is a failure.
  return { current: undefined, last: ended.at(-1) as CertificateFacts, generations };
}

/** Puts a successor behind a line of so many generations: the folder appears whole or not at all. */
export async function writeSuccessor(
  { folder, certificate, key }: LinePlace,
  generations: number,
  successor: CertificateAuthority,
): Promise<void> {
  await writePrivateFolder(join(folder, `successor-${generations}`), {
    [certificate]: successor.pem,
    [key]: await keyPairToPem(successor.keys),
  });
}
