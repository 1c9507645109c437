import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Failure } from '@sallyport/model';
import { checkServerPair, type ServerPair } from './check-server-pair.ts';
import { makePrivateFolder, readSecretFile, refuseOpenFolder, writePrivateFile } from './key-files.ts';
import { organisationFolder, organisationOfFolder } from './organisation-folder.ts';

/** Server certificates that operators have given: one for the server, and one for the host names of each organisation that has its own. */
export interface ServerPairs {
  /** That of the server, or of an organisation. */
  of(organisation?: string): ServerPair | undefined;
  /** With the organisation, where it is of one. */
  all(): readonly (ServerPair & { readonly organisation?: string })[];
  /** Checks it first, and puts it in place of the one before: `invalid_request` says what is wrong with it. */
  set(given: { readonly organisation?: string; readonly chain: string; readonly key: string }): Promise<ServerPair>;
  /** False if there is none. */
  remove(organisation?: string): Promise<boolean>;
}

const SERVER = '';
const SUFFIX = '.pem';

/**
 * Reads what is in the folder, which is made when the first is given. Each pair is one file, because one file can be replaced at once and two
 * cannot. A file that is damaged or open to others is a `key_material_invalid` failure; one that has expired goes on: its end was told of.
 */
export async function openServerPairs(options: {
  readonly directory: string;
  readonly now: () => number;
}): Promise<ServerPairs> {
  const { directory, now } = options;
  const organisations = join(directory, 'organisations');
  const known = await load(directory, organisations, now());
  const pathOf = (organisation: string | undefined): string =>
    organisation === undefined
      ? join(directory, `server${SUFFIX}`)
      : `${organisationFolder(organisations, organisation)}${SUFFIX}`;
  // One after the other: the last that was asked for is the one that is on the disk and in use.
  let work: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(step: () => Promise<T>): Promise<T> => {
    const done = work.then(step);
    work = done.catch(() => {});
    return done;
  };

  return {
    of: (organisation) => known.get(organisation ?? SERVER),
    all: () => [...known].map(([organisation, pair]) => (organisation === SERVER ? pair : { ...pair, organisation })),
    async set({ organisation, chain, key }) {
      const checked = await checkServerPair({ chain, key, now: now() });
      if (!checked.ok)
        throw new Failure('invalid_request', `This cannot be the server certificate: ${checked.problem}.`, {
          cure: CURE,
        });
      const pair = checked.value;
      if (organisation !== undefined) requireOwnName(organisation, pair);
      return inTurn(async () => {
        await makePrivateFolder(organisations);
        await writePrivateFile(pathOf(organisation), `${pair.keyPem}${pair.chainPem}`);
        known.set(organisation ?? SERVER, pair);
        return pair;
      });
    },
    remove: (organisation) =>
      inTurn(async () => {
        if (!known.delete(organisation ?? SERVER)) return false;
        await rm(pathOf(organisation), { force: true });
        return true;
      }),
  };
}

const CURE =
  'Give the certificate of the server first, then each authority that signed the one before, and the key of the first; `openssl x509 -noout -text -in FILE` shows what a certificate says.';

/** It is shown to whoever asks for a host `<organisation>.…`, so one that lists none would never be. */
function requireOwnName(organisation: string, { facts }: ServerPair): void {
  const { dns } = facts.subjectAlternativeNames;
  if (
    dns.some((name) => /^[^.]+\../.test(name) && ['*', organisation].includes(name.split('.')[0]?.toLowerCase() ?? ''))
  )
    return;
  throw new Failure(
    'invalid_request',
    `The certificate lists no host name ${organisation}.…, but ${dns.join(', ') || 'none'}.`,
    {
      cure: `Have it issued for a host name whose first label is ${organisation}, or for *.DOMAIN: clients that ask for such a name are of the organisation.`,
    },
  );
}

async function load(directory: string, organisations: string, now: number): Promise<Map<string, ServerPair>> {
  const known = new Map<string, ServerPair>();
  const server = await readPair(join(directory, `server${SUFFIX}`), now);
  if (server) known.set(SERVER, server);
  const names = await readdir(organisations).catch(() => []);
  if (names.length > 0) await refuseOpenFolder(organisations);
  for (const name of names) {
    // A crash may have left a file that was not whole under another name.
    const organisation = name.endsWith(SUFFIX) ? organisationOfFolder(name.slice(0, -SUFFIX.length)) : undefined;
    if (organisation === undefined) continue;
    const pair = await readPair(join(organisations, name), now);
    if (pair) known.set(organisation, pair);
  }
  return known;
}

async function readPair(path: string, now: number): Promise<ServerPair | undefined> {
  const text = await readSecretFile(path);
  if (text === undefined) return undefined;
  const checked = await checkServerPair({ chain: text, key: text, now, inForce: true });
  if (checked.ok) return checked.value;
  throw new Failure('key_material_invalid', `${path} is damaged: ${checked.problem}`, {
    cure: `Restore ${path} from a backup, or remove it: then the certificate of this server's own authority is shown until you give another.`,
  });
}
