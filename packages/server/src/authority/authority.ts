import { join } from 'node:path';
import {
  type CertificateAuthority,
  type CertificateFacts,
  createCertificateRequest,
  generateKeyPair,
  type IssuedCertificate,
  issueClientCertificate,
  issueServerCertificate,
  keyPairFromPem,
  keyPairToPem,
  type PublicKey,
  readCertificate,
} from '@sallyport/trust';
import type { AuthorityLine } from './authority-line.ts';
import type { ServerPair } from './check-server-pair.ts';
import { createKeyMaterial } from './create-key-material.ts';
import { writePrivateFile } from './key-files.ts';
import { type KeyMaterial, loadKeyMaterial } from './load-key-material.ts';
import { credentialsByName, type NamedCredentials, type NamedPair, type NamedPairs } from './named-credentials.ts';
import { openOrganisationAuthorities } from './organisation-authorities.ts';
import { publishedAt } from './published-at.ts';
import { rootKey } from './root-key.ts';
import { type ServerNames, sameNames, serverNames } from './server-names.ts';
import { openServerPairs, type ServerPairs } from './server-pairs.ts';
import { inForce, type Succession, serverSuccessor, succeedEnding } from './succession.ts';

export interface AuthorityOptions {
  /** The folder of the key material, `<data-dir>/pki`. Made at the first run; its parent must exist. */
  readonly directory: string;
  /** Further names and addresses for the server certificate. */
  readonly dnsNames: readonly string[];
  /** Beginning of the URLs at which news of revocation is published; certificates name them. Default `none`: they name nothing. */
  readonly publicUrl?: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Name of this machine. Default: what the system says. */
  readonly host?: string;
}

/** What a TLS listener needs, in PEM. */
export interface ServerCredentials {
  readonly key: string;
  /** The server's certificate and the authorities above it, without the root. */
  readonly cert: string;
  /** Authorities that are named to clients which are asked for a certificate; a hint which of theirs to show. None: any. */
  readonly ca: string | readonly string[];
  /** Another certificate for a client that asks for this host name, in lower case; undefined: the one above. */
  readonly forName?: (serverName: string) => NamedCredentials | undefined;
  /** What that chooses from. */
  readonly named?: NamedPairs;
}

interface ClientIssueOptions {
  /** Whose authority issues it. */
  readonly organisation: string;
  readonly publicKey: PublicKey;
  /** For example `d:pump:pump-7`. */
  readonly commonName: string;
  readonly uris?: readonly string[];
  /** Milliseconds. Default 90 days. */
  readonly validity?: number;
}

/** An authority with its key, and whose it is; without an organisation it is the one for the server itself. */
export interface Issuer extends CertificateAuthority {
  readonly organisation?: string;
  /** SHA-256 of the one that signs in its place. */
  readonly succeededBy?: string;
}

/** The certificate authority of this server. */
export interface Authority {
  readonly rootPem: string;
  readonly root: CertificateFacts;
  /** Issues the certificates of this server, and issued those of clients before organisations had authorities of their own. */
  intermediate(): CertificateFacts;
  /** False once the root key has been taken offline. */
  hasRootKey(): Promise<boolean>;
  /** Every authority below the root, of this moment, also those that were succeeded. What they issued to clients counts only if it is on record. */
  issuers(): readonly Issuer[];
  /** Gives a successor to each that ends within a year. The first time it also tells of the one that was made at the start. */
  succeedEnding(): Promise<readonly Succession[]>;
  /** The root with its key, to sign what it has revoked; undefined once the key has been taken offline. Kept by nobody. */
  rootIssuer(): Promise<CertificateAuthority | undefined>;
  /** The authority that issues the client certificates of an organisation. Made when it is first asked for: `root_key_absent`. */
  issuerOf(organisation: string): Promise<CertificateAuthority>;
  /** Ends the authority of an organisation that was removed. */
  removeOrganisation(organisation: string): Promise<void>;
  /** The one of this server's own authority, whether or not another was imported. */
  ownServerCertificate(): { readonly facts: CertificateFacts; readonly chainPem: string };
  /** A PKCS#10 request in PEM for the key of this server's own certificate, with its names or others. The key stays where it is. */
  requestServerCertificate(names?: ServerNames): Promise<string>;
  /** The key of this server's own certificate, in PEM. */
  ownServerKey(): string;
  /** Server certificates of other authorities. Hand {@link serverCredentials} to the listeners after a change. */
  readonly serverPairs: ServerPairs;
  serverCredentials(): ServerCredentials;
  /** Makes a new own server certificate if the present one ends in less than 30 days. True if it is in use: hand it to the listeners. */
  renewServerCertificate(): Promise<boolean>;
  issueClient(options: ClientIssueOptions): Promise<IssuedCertificate>;
}

const RENEW_BEFORE = 30 * 24 * 60 * 60_000;

/**
 * Opens the authority of this server; makes one at the first run. Renews the server certificate when it ends soon or the names changed, and
 * the authority above it when that has ended.
 *
 * Files that are missing, damaged, out of date, open to others or not of one family are `key_material_invalid` failures that name the file.
 */
export async function openAuthority(options: AuthorityOptions): Promise<Authority> {
  const { directory, dnsNames, now, host, publicUrl = 'none' } = options;
  const published = publishedAt(publicUrl);
  const wanted = serverNames(dnsNames, host);
  if (!(await loadKeyMaterial(directory, now()))) await createKeyMaterial(directory, wanted, now());
  const material = await loadAgain(directory, now());
  const { root } = material;
  const key = rootKey(directory, root);
  const before = material.intermediate;
  let ofServer = before.current ? before : await serverSuccessor({ directory, rootKey: key, now }, before);
  /** What was done before anybody could hear of it. */
  const madeAtStart: Succession[] = before.current
    ? []
    : [{ outcome: 'succeeded', before: before.last, now: ofServer.current.certificate }];
  const organisations = await openOrganisationAuthorities({
    directory: join(directory, 'organisations'),
    root,
    rootKey: key,
    now,
  });
  const serverPairs = await openServerPairs({ directory: join(directory, 'imported'), now });
  const serverKeyPem = material.serverKeyPem ?? (await newServerKey(directory));

  async function issueServer(): Promise<OwnPair> {
    const { publicKey } = await keyPairFromPem(serverKeyPem);
    const { chainPem } = await issueServerCertificate({
      authority: ofServer.current,
      publicKey,
      ...wanted,
      now: now(),
      publishedAt: published(ofServer.current.certificate),
    });
    // The key stays: one file can be replaced at once, two cannot.
    await writePrivateFile(join(directory, SERVER_FILE), chainPem);
    const read = await readCertificate(chainPem);
    if (!read.ok) throw new Error(`the authority issued what it cannot read: ${read.problem}`);
    return { facts: read.value, pem: chainPem };
  }
  const endsSoon = ({ facts }: OwnPair): boolean => facts.notAfter - now() < RENEW_BEFORE;

  let server = material.server && material.serverPem ? { facts: material.server, pem: material.serverPem } : undefined;
  if (!server || endsSoon(server) || !sameNames(namesOf(server.facts), wanted)) server = await issueServer();
  let current: OwnPair = server;

  const ownPair = (): NamedPair => ({
    id: current.facts.fingerprintSha256,
    key: serverKeyPem,
    cert: current.pem,
    facts: namesAlone(current.facts),
  });

  function namedPairs(): NamedPairs {
    const imported = serverPairs.of();
    return {
      own: ownPair(),
      ...(imported && { imported: pairOf(imported) }),
      ofOrganisations: new Map(
        serverPairs.all().flatMap(({ organisation, ...pair }) => (organisation ? [[organisation, pairOf(pair)]] : [])),
      ),
    };
  }

  let listed: { readonly of: string; readonly until: number; readonly issuers: readonly Issuer[] } | undefined;
  /** The same array until one comes, goes or ends: it is asked for in each handshake. */
  function issuers(): readonly Issuer[] {
    const of = `${ofServer.generations} ${organisations.version()}`;
    if (listed?.of === of && now() < listed.until) return listed.issuers;
    const found = listIssuers();
    listed = { of, until: Math.min(...found.map(({ certificate }) => certificate.notAfter)), issuers: found };
    return found;
  }
  function listIssuers(): readonly Issuer[] {
    const line = (each: AuthorityLine, more: Pick<Issuer, 'organisation'>): Issuer[] =>
      inForce(each, now()).map((authority, index) =>
        index === 0
          ? { ...authority, ...more }
          : { ...authority, ...more, succeededBy: each.current.certificate.fingerprintSha256 },
      );
    return [
      ...line(ofServer, {}),
      ...[...organisations.all()].flatMap(([organisation, each]) => line(each, { organisation })),
    ];
  }

  return {
    rootPem: material.rootPem,
    root,
    intermediate: () => ofServer.current.certificate,
    hasRootKey: () => key.isHere(),
    issuers,
    async succeedEnding() {
      const made = await succeedEnding({
        ...{ directory, root, organisations, now },
        rootKey: key,
        server: {
          get: () => ofServer,
          set(line) {
            ofServer = line;
          },
        },
      });
      return [...madeAtStart.splice(0), ...made];
    },
    rootIssuer: async () => ((await key.isHere()) ? key.open('The revocation list of the root') : undefined),
    issuerOf: (organisation) => organisations.of(organisation),
    async removeOrganisation(organisation) {
      await organisations.remove(organisation);
      await serverPairs.remove(organisation);
    },
    async requestServerCertificate(names = wanted) {
      const commonName = names.dnsNames[0] ?? names.ipAddresses[0] ?? '';
      return createCertificateRequest({ keys: await keyPairFromPem(serverKeyPem), commonName, ...names });
    },
    ownServerKey: () => serverKeyPem,
    ownServerCertificate: () => ({ facts: current.facts, chainPem: current.pem }),
    serverPairs,
    serverCredentials() {
      const named = namedPairs();
      const { key, cert } = named.imported ?? named.own;
      const ca = material.rootPem;
      if (serverPairs.all().length === 0) return { key, cert, ca };
      return { key, cert, ca, named, forName: (serverName) => credentialsByName(namedPairs())(serverName) };
    },
    async renewServerCertificate() {
      if (!endsSoon(current)) return false;
      current = await issueServer();
      return true;
    },
    issueClient: async ({ organisation, ...options }) => {
      const authority = await organisations.of(organisation);
      return issueClientCertificate({
        authority,
        now: now(),
        publishedAt: published(authority.certificate),
        ...options,
      });
    },
  };
}

const SERVER_FILE = 'server.pem';

interface OwnPair {
  readonly facts: CertificateFacts;
  readonly pem: string;
}

function pairOf({ facts, keyPem, chainPem }: ServerPair): NamedPair {
  return { id: facts.fingerprintSha256, key: keyPem, cert: chainPem, facts: namesAlone(facts) };
}

function namesAlone({ subjectAlternativeNames }: CertificateFacts): NamedPair['facts'] {
  return { subjectAlternativeNames };
}

async function newServerKey(directory: string): Promise<string> {
  const pem = await keyPairToPem(await generateKeyPair());
  await writePrivateFile(join(directory, 'server-key.pem'), pem);
  return pem;
}

async function loadAgain(directory: string, now: number): Promise<KeyMaterial> {
  const material = await loadKeyMaterial(directory, now);
  if (!material) throw new Error(`${directory} vanished while it was in use`);
  return material;
}

function namesOf({ subjectAlternativeNames }: CertificateFacts): ServerNames {
  return { dnsNames: subjectAlternativeNames.dns, ipAddresses: subjectAlternativeNames.ip };
}
