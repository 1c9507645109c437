import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { serverCertificate } from './server-certificate.ts';

const SUFFIX = 'dc=example,dc=org';
const ROOT_PASSWORD = 'root-of-the-directory';
/** Of the user who may search. */
const READER_PASSWORD = 'reads-groups-only';

/** A real slapd with people, things and groups, on ports of loopback. */
export interface DirectoryServer {
  readonly ldapsUrl: string;
  /** Without TLS in the beginning; StartTLS is offered. */
  readonly ldapUrl: string;
  readonly caFile: string;
  readonly reader: string;
  readonly readerPasswordFile: string;
  readonly folder: string;
  /** Adds or removes a member of a group. */
  member(change: 'add' | 'delete', group: string, dn: string): void;
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export const person = (uid: string) => `uid=${uid},ou=people,${SUFFIX}`;
export const thing = (uid: string) => `uid=${uid},ou=things,${SUFFIX}`;

/** Starts one. `people` are user names with their passwords; `groups` are names with the DNs of their members. */
export async function directoryServer(
  programs: Readonly<Record<string, string>>,
  content: {
    readonly people: Readonly<Record<string, string>>;
    readonly groups: Readonly<Record<string, readonly string[]>>;
    /** More lines of the entries of people. */
    readonly attributes?: Readonly<Record<string, readonly string[]>>;
  },
): Promise<DirectoryServer> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-ldap-'));
  const { cert, key } = serverCertificate(programs.openssl ?? '', folder);
  mkdirSync(join(folder, 'db'));
  const configuration = join(folder, 'slapd.conf');
  const reader = `cn=reader,${SUFFIX}`;
  writeFileSync(
    configuration,
    `${['core', 'cosine', 'inetorgperson'].map((name) => `include /etc/ldap/schema/${name}.schema`).join('\n')}
modulepath /usr/lib/ldap
moduleload back_mdb
# As careless as a directory can be: a name without a password is let in, as nobody (RFC 4513 section 5.1.2).
allow bind_anon_cred bind_anon_dn
TLSCertificateFile ${cert}
TLSCertificateKeyFile ${key}
database mdb
suffix "${SUFFIX}"
rootdn "cn=root,${SUFFIX}"
rootpw ${ROOT_PASSWORD}
directory ${join(folder, 'db')}
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${reader}" read by * none
`,
  );
  const entry = (dn: string, lines: readonly string[]) => `dn: ${dn}\n${lines.join('\n')}\n\n`;
  const user = (dn: string, uid: string, password: string) =>
    entry(dn, [
      'objectClass: inetOrgPerson',
      `uid: ${uid}`,
      `cn: ${uid}`,
      `sn: ${uid}`,
      `userPassword: ${password}`,
      ...(content.attributes?.[uid] ?? []),
    ]);
  const ldif =
    entry(SUFFIX, ['objectClass: dcObject', 'objectClass: organization', 'o: Example']) +
    ['people', 'things', 'groups']
      .map((ou) => entry(`ou=${ou},${SUFFIX}`, ['objectClass: organizationalUnit']))
      .join('') +
    entry(reader, ['objectClass: person', 'cn: reader', 'sn: reader', `userPassword: ${READER_PASSWORD}`]) +
    Object.entries(content.people)
      .map(([uid, password]) => user(person(uid), uid, password))
      .join('') +
    Object.entries(content.groups)
      .map(([cn, members]) =>
        entry(`cn=${cn},ou=groups,${SUFFIX}`, [
          'objectClass: groupOfNames',
          // A group has a member always.
          `member: ${reader}`,
          ...members.map((dn) => `member: ${dn}`),
        ]),
      )
      .join('');
  writeFileSync(join(folder, 'content.ldif'), ldif);
  execFileSync(programs.slapd ?? '', ['-T', 'add', '-f', configuration, '-l', join(folder, 'content.ldif')], {
    stdio: 'ignore',
  });
  const readerPasswordFile = join(folder, 'reader.password');
  writeFileSync(readerPasswordFile, `${READER_PASSWORD}\n`, { mode: 0o600 });
  const [plain, secure] = [await freePort(), await freePort()];
  const [ldapUrl, ldapsUrl] = [`ldap://127.0.0.1:${plain}`, `ldaps://127.0.0.1:${secure}`];

  let running: ChildProcess | undefined;
  const start = async () => {
    running = spawn(programs.slapd ?? '', ['-f', configuration, '-h', `${ldapUrl} ${ldapsUrl}`, '-d', '0'], {
      stdio: 'ignore',
    });
    while (!(await answers(secure)) || !(await answers(plain))) await new Promise((resolve) => setTimeout(resolve, 50));
  };
  const stop = async () => {
    const process = running;
    running = undefined;
    if (!process) return;
    const gone = new Promise((resolve) => process.once('exit', resolve));
    process.kill();
    await gone;
  };
  await start();
  return {
    ldapsUrl,
    ldapUrl,
    caFile: cert,
    reader,
    readerPasswordFile,
    folder,
    start,
    stop,
    member(change, group, dn) {
      const input = `dn: cn=${group},ou=groups,${SUFFIX}\nchangetype: modify\n${change}: member\nmember: ${dn}\n`;
      const login = ['-x', '-H', ldapUrl, '-D', `cn=root,${SUFFIX}`, '-w', ROOT_PASSWORD];
      execFileSync(programs.ldapmodify ?? '', login, { input, stdio: ['pipe', 'ignore', 'ignore'] });
    },
    async close() {
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
