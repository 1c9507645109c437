import { Failure } from '@sallyport/model';
import type { Pair } from './renew-by-est.ts';

/** Where a certificate and its key lie, in PEM. */
export interface PairPaths {
  readonly cert: string;
  readonly key: string;
}

/** What is written before it takes its place. */
const NEXT = '.next';

/**
 * Reads a certificate and its key. What a crash has left between the two of {@link writePair} is finished first, or undone: they always
 * belong together.
 *
 * @throws Failure `key_material_invalid`
 */
export async function readPair(paths: PairPaths): Promise<Pair> {
  const { readFile, rename, rm } = await import('node:fs/promises');
  const read = async (path: string) => readFile(path, 'utf8').catch(() => undefined);
  const [cert, key, nextCert, nextKey] = await Promise.all(
    [paths.cert, paths.key, paths.cert + NEXT, paths.key + NEXT].map(read),
  );
  if (nextCert !== undefined && (await belong(nextCert, nextKey ?? key))) {
    if (nextKey !== undefined) await rename(paths.key + NEXT, paths.key);
    await rename(paths.cert + NEXT, paths.cert);
    return { cert: nextCert, key: (nextKey ?? key) as string };
  }
  await Promise.all([rm(paths.cert + NEXT, { force: true }), rm(paths.key + NEXT, { force: true })]);
  if (cert !== undefined && key !== undefined && (await belong(cert, key))) return { cert, key };
  const why = cert === undefined || key === undefined ? 'cannot be read' : 'do not belong together';
  throw new Failure('key_material_invalid', `The certificate ${paths.cert} and the key ${paths.key} ${why}.`, {
    cure: 'Give the paths of a certificate and its key in PEM, without a passphrase; enrol anew if the key is lost.',
  });
}

/**
 * Puts a new certificate and its key into the place of the old ones, so that neither a crash nor a full disk leaves one without the other:
 * both are safe beside their places before the first takes its own.
 */
export async function writePair(paths: PairPaths, { cert, key }: Pair): Promise<void> {
  const { open, rename, rm } = await import('node:fs/promises');
  const { dirname } = await import('node:path');
  try {
    for (const [path, text] of [
      [paths.key + NEXT, key],
      [paths.cert + NEXT, cert],
    ] as const) {
      await rm(path, { force: true });
      const file = await open(path, 'wx', 0o600);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
    }
    await rename(paths.key + NEXT, paths.key);
    await rename(paths.cert + NEXT, paths.cert);
    for (const folder of new Set([dirname(paths.key), dirname(paths.cert)])) {
      const handle = await open(folder, 'r');
      await handle.sync().finally(() => handle.close());
    }
  } catch (cause) {
    throw new Failure('certificate_not_renewed', `The new certificate cannot be written to ${paths.cert}.`, {
      cause,
      cure: 'Give the program the right to write into the folder of the certificate, and room on the disk.',
    });
  }
}

async function belong(cert: string, key: string | undefined): Promise<boolean> {
  if (key === undefined) return false;
  const { X509Certificate, createPrivateKey } = await import('node:crypto');
  try {
    return new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}
