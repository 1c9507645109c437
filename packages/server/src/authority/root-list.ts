import { readFile } from 'node:fs/promises';
import {
  type CertificateAuthority,
  type CertificateFacts,
  createRevocationList,
  type RevokedEntry,
  readRevocationList,
} from '@sallyport/trust';
import { writePrivateFile } from './key-files.ts';
import type { PublishedList } from './revocation-lists.ts';

const DAY = 24 * 60 * 60_000;
/** Long enough that a key which is brought back once a year is brought back in time. */
const LIFETIME = 400 * DAY;
const BACKDATED = 5 * 60_000;

/** The revocation list of the root for the time in which its key is offline: signed ahead, kept in a file, published only then. */
export interface RootList {
  /** Signs it anew if the key is here. */
  keep(): Promise<void>;
  /** What was signed last, unless it has ended. */
  kept(): Promise<PublishedList | undefined>;
}

export function rootList(options: {
  readonly file: string;
  readonly root: CertificateFacts;
  readonly rootIssuer: () => Promise<CertificateAuthority | undefined>;
  /** What the root has revoked, in portions. */
  readonly revoked: (issuerNameHash: string) => AsyncIterable<readonly RevokedEntry[]>;
  readonly now: () => number;
}): RootList {
  const { file, root, rootIssuer, revoked, now } = options;
  return {
    async keep() {
      const authority = await rootIssuer();
      if (!authority) return;
      const at = now();
      const list = await createRevocationList({
        ...{ authority, number: at, thisUpdate: at - BACKDATED, nextUpdate: at + LIFETIME },
        revoked: revoked(root.subjectNameHash),
      });
      await writePrivateFile(file, list);
    },
    async kept() {
      const list = await readFile(file).catch(() => undefined);
      if (!list) return undefined;
      // A file that somebody has put there says nothing; only the root does.
      const read = await readRevocationList({ list, issuer: root.der });
      if (!read.ok || read.value.nextUpdate <= now()) return undefined;
      const { der, thisUpdate, nextUpdate } = read.value;
      return { der, thisUpdate, nextUpdate };
    },
  };
}
