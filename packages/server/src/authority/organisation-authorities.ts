import { randomBytes } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CertificateAuthority,
  type CertificateFacts,
  createIntermediateAuthority,
  keyPairToPem,
} from '@sallyport/trust';
import { makePrivateFolder, refuseOpenFolder, writePrivateFolder } from './key-files.ts';
import { loadIssuer } from './load-key-material.ts';
import { organisationFolder, organisationOfFolder } from './organisation-folder.ts';
import type { RootKey } from './root-key.ts';

const YEAR = 365 * 24 * 60 * 60_000;
const CERTIFICATE = 'authority.pem';
const KEY = 'authority-key.pem';

/** The authorities below the root that issue client certificates, one for each organisation. */
export interface OrganisationAuthorities {
  /** Made if there is none yet, which needs the root key (`root_key_absent`). */
  of(organisation: string): Promise<CertificateAuthority>;
  all(): ReadonlyMap<string, CertificateAuthority>;
  /** Removes the key: whoever takes the name of the organisation later gets another authority. */
  remove(organisation: string): Promise<void>;
}

/** Reads what is there. Files that are damaged, open to others or not of this root are `key_material_invalid` failures. */
export async function openOrganisationAuthorities(options: {
  /** Made when the first authority is. */
  readonly directory: string;
  readonly root: CertificateFacts;
  readonly rootKey: RootKey;
  readonly now: () => number;
}): Promise<OrganisationAuthorities> {
  const { directory, rootKey, now } = options;
  const known = await load(options);
  const underWay = new Map<string, Promise<CertificateAuthority>>();

  async function make(organisation: string): Promise<CertificateAuthority> {
    const authority = await createIntermediateAuthority({
      authority: await rootKey.open(`The first certificate of organisation "${organisation}"`),
      // Two authorities of one name could not be told apart by those whom a certificate names as its issuer.
      commonName: `Sallyport ${organisation} ${randomBytes(4).toString('hex')}`,
      now: now(),
      validity: 10 * YEAR,
    });
    await makePrivateFolder(directory);
    await writePrivateFolder(organisationFolder(directory, organisation), {
      [CERTIFICATE]: authority.pem,
      [KEY]: await keyPairToPem(authority.keys),
    });
    known.set(organisation, authority);
    return authority;
  }

  return {
    of(organisation) {
      const there = known.get(organisation);
      if (there) return Promise.resolve(there);
      const begun = underWay.get(organisation) ?? make(organisation).finally(() => underWay.delete(organisation));
      underWay.set(organisation, begun);
      return begun;
    },
    all: () => known,
    async remove(organisation) {
      await underWay.get(organisation)?.catch(() => {});
      if (!known.delete(organisation)) return;
      await rm(organisationFolder(directory, organisation), { recursive: true, force: true });
    },
  };
}

async function load({
  directory,
  root,
  now,
}: Parameters<typeof openOrganisationAuthorities>[0]): Promise<Map<string, CertificateAuthority>> {
  const known = new Map<string, CertificateAuthority>();
  const names = await readdir(directory).catch(() => []);
  if (names.length > 0) await refuseOpenFolder(directory);
  for (const name of names) {
    // A crash may have left a folder that was not whole under another name.
    const organisation = organisationOfFolder(name);
    if (organisation === undefined) continue;
    const folder = join(directory, name);
    await refuseOpenFolder(folder);
    known.set(organisation, await loadIssuer(join(folder, CERTIFICATE), join(folder, KEY), root, now()));
  }
  return known;
}
