import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type CertificateAuthority, type CertificateFacts, keyPairToPem } from '@sallyport/trust';
import { type AuthorityLine, type LinePlace, loadLine, writeSuccessor } from './authority-line.ts';
import { makeIntermediate } from './intermediate.ts';
import { makePrivateFolder, refuseOpenFolder, writePrivateFolder } from './key-files.ts';
import { organisationFolder, organisationOfFolder } from './organisation-folder.ts';
import type { RootKey } from './root-key.ts';

const CERTIFICATE = 'authority.pem';
const KEY = 'authority-key.pem';

/** The authorities below the root that issue client certificates, for each organisation one that signs and those before it. */
export interface OrganisationAuthorities {
  /** The one that signs. Made if there is none in force, which needs the root key (`root_key_absent`). */
  of(organisation: string): Promise<CertificateAuthority>;
  all(): ReadonlyMap<string, AuthorityLine>;
  /** Another number after each change. */
  version(): number;
  /** Makes the one that signs from now on; that of before still vouches for what it signed. Undefined if the organisation has none. */
  succeed(organisation: string): Promise<AuthorityLine | undefined>;
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
  const { known, ended } = await load(options);
  let version = 0;
  const underWay = new Map<string, Promise<CertificateAuthority>>();

  async function make(organisation: string): Promise<CertificateAuthority> {
    const authority = await makeIntermediate({
      root: await rootKey.open(`The certificate authority of organisation "${organisation}"`),
      name: organisation,
      now: now(),
    });
    const generations = known.get(organisation)?.generations ?? ended.get(organisation) ?? 0;
    if (generations > 0) await writeSuccessor(placeOf(directory, organisation), generations, authority);
    else {
      await makePrivateFolder(directory);
      await writePrivateFolder(organisationFolder(directory, organisation), {
        [CERTIFICATE]: authority.pem,
        [KEY]: await keyPairToPem(authority.keys),
      });
    }
    const before = known.get(organisation);
    const earlier = before ? [before.current, ...before.earlier] : [];
    known.set(organisation, { current: authority, earlier, generations: generations + 1 });
    version += 1;
    return authority;
  }
  function makeOnce(organisation: string): Promise<CertificateAuthority> {
    const begun = underWay.get(organisation) ?? make(organisation).finally(() => underWay.delete(organisation));
    underWay.set(organisation, begun);
    return begun;
  }

  return {
    of(organisation) {
      const there = known.get(organisation)?.current;
      return there && there.certificate.notAfter > now() ? Promise.resolve(there) : makeOnce(organisation);
    },
    all: () => known,
    version: () => version,
    async succeed(organisation) {
      if (!known.has(organisation)) return undefined;
      await makeOnce(organisation);
      return known.get(organisation);
    },
    async remove(organisation) {
      await underWay.get(organisation)?.catch(() => {});
      if (!known.delete(organisation) && !ended.delete(organisation)) return;
      version += 1;
      await rm(organisationFolder(directory, organisation), { recursive: true, force: true });
    },
  };
}

function placeOf(directory: string, organisation: string): LinePlace {
  return { folder: organisationFolder(directory, organisation), certificate: CERTIFICATE, key: KEY };
}

async function load({ directory, root, now }: Parameters<typeof openOrganisationAuthorities>[0]) {
  const known = new Map<string, AuthorityLine>();
  /** All of its authorities are over: how many there were. */
  const ended = new Map<string, number>();
  const names = await readdir(directory).catch(() => []);
  if (names.length > 0) await refuseOpenFolder(directory);
  for (const name of names) {
    // A crash may have left a folder that was not whole under another name.
    const organisation = organisationOfFolder(name);
    if (organisation === undefined) continue;
    await refuseOpenFolder(join(directory, name));
    const line = await loadLine(placeOf(directory, organisation), root, now());
    if (line.current) known.set(organisation, line);
    else ended.set(organisation, line.generations);
  }
  return { known, ended };
}
