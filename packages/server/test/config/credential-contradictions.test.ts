// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of templates are written like this.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../src/config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-contradictions-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function load(text: string) {
  const file = join(folder, 'sallyport.yaml');
  writeFileSync(file, text);
  return loadConfiguration({ file });
}

const SERVER = 'authorizationServer:\n  organisations: [demo]\n';
const LDAP = 'url: "ldaps://ldap.example.com"';
const USERS = 'users: { dn: "uid=${username},ou=people", principal: "application:demo/${username}" }';
const GRANT = '{ group: senders, grants: ["publish:a"] }';
const block = (rest: string) => `organisations:\n  - id: demo\n    authenticators: [token]\n    ${rest}\n`;
const groups = (rest: string) => block(`directory: { ${LDAP}, groups: { base: "ou=groups", ${rest} } }`);
const database = (rest: string) =>
  block(`database: { database: d, user: u, passwordFile: p, query: "select g from t where p = $1", ${rest} }`);

/** A configuration, the line that is to be named, and what is said. */
const CASES: readonly (readonly [text: string, line: number, said: string])[] = [
  ['accessTokens:\n  keyRefresh: 1d\n  keyOutage: 1h\n', 2, 'keyRefresh: is more than accessTokens.keyOutage'],
  ['accessTokens:\n  keyOutage: 5m\n', 2, 'keyOutage: is less than accessTokens.keyRefresh'],
  ['authorizationServer:\n  accessTokens: opaque\n', 2, 'is set, but authorizationServer.organisations names nobody'],
  ['authorizationServer:\n  organisations: []\n  ownerApproval: true\n', 3, 'organisations names nobody'],
  ['authorizationServer:\n  organisations:\n    - demo\n    - demo\n', 4, 'names demo twice'],
  [`${SERVER}  refreshTokenLifetime: 1m\n`, 3, 'is less than authorizationServer.accessTokenLifetime'],
  [`${SERVER}  accessTokenLifetime: 1d\n  keyOverlap: 1h\n`, 4, 'tokens would outlive the key'],
  [`${SERVER}  keyLifetime: 1h\n`, 3, 'is not longer than authorizationServer.keyOverlap'],
  [`${SERVER}  deviceCodeLifetime: 1m\n  deviceInterval: 1m\n`, 4, 'a device could ask only once'],
  [`${SERVER}  maximumTokens: 500\n`, 3, 'is less than authorizationServer.maximumPendingDevices'],
  [`${SERVER}  publicCertificateUrl: https://as.example.com\n`, 3, 'listeners.enrolment.enabled is false'],
  [
    `listeners:\n  enrolment: { enabled: true }\n${SERVER}  publicUrl: https://as.example.com\n  publicCertificateUrl: https://as.example.com\n`,
    6,
    'a port either asks everybody for a certificate, or nobody',
  ],
  ['guessing:\n  enabled: false\n  block: 5m\n', 3, 'guessing.enabled is false'],
  ['guessing:\n  block: 2h\n', 2, 'is more than guessing.maximumBlock'],
  ['guessing:\n  maximumBlock: 10s\n', 2, 'is less than guessing.block'],
  ['guessing:\n  failuresPerAddress: 5\n', 2, 'is less than guessing.failuresPerPrincipal'],
  ['unlock:\n  attempts: 5\n  maximumFailures: 3\n', 2, 'is more than unlock.maximumFailures'],
  ['unlock:\n  mail:\n    from: a@example.com\n', 3, 'unlock.mail.host is not'],
  ['unlock:\n  mail:\n    host: mail.example.com\n', 3, 'a mail needs a sender'],
  ['unlock:\n  mail:\n    host: m\n    from: a@example.com\n    username: u\n', 5, 'belong together'],
  ['unlock:\n  mail:\n    host: m\n    from: a@example.com\n    passwordFile: p\n', 5, 'belong together'],
  [
    'unlock:\n  mail:\n    host: m\n    from: a@example.com\n    implicitTls: true\n    allowPlaintextMail: true\n',
    6,
    'there is TLS always',
  ],
  ['unlock:\n  webHook:\n    secretFile: s\n', 3, 'unlock.webHook.url is not'],
  ['unlock:\n  webHook:\n    url: https://h.example/x\n', 3, 'could not be signed'],
  [
    block(`directory: { ${LDAP}, reader: "cn=r", readerPasswordFile: p, ${USERS} }`).replace('[token]', '[directory]'),
    4,
    'neither users.search nor groups would search',
  ],
  [groups(`filter: "(member=\${dn})", grants: [${GRANT}]`), 4, 'is not set, and filter holds ${dn}'],
  [groups(`filter: "(u=\${id})", entry: "uid=\${id},ou=x", grants: [${GRANT}]`), 4, 'filter does not hold ${dn}'],
  [groups(`filter: "(u=\${id})", grants: [${GRANT}, ${GRANT}]`), 4, 'names "senders" twice'],
  [groups('filter: "(u=${id})", grants: []'), 4, 'nobody could do anything'],
  [groups(`filter: "(u=\${id}", grants: [${GRANT}]`), 4, 'is no filter (RFC 4515)'],
  [database('host: db.example.com'), 4, 'would travel without TLS'],
  [
    block('hook: { url: "https://h.example", secretFile: s, cacheLifetime: 1h, sessionLifetime: 1m }').replace(
      '[token]',
      '[hook]',
    ),
    4,
    'is more than sessionLifetime',
  ],
  [
    `listeners:\n  mqttTls: { clientCertificates: "off" }\n${block('').replace('[token]', '[certificate, token]')}`,
    5,
    'nobody is asked for one',
  ],
];

describe('a configuration that contradicts itself', () => {
  it.each(CASES)('%j is refused with line %i: %s', (text, line, said) => {
    expect(() => load(text)).toThrow(said);
    expect(() => load(text)).toThrow(`sallyport.yaml:${line}:`);
  });
});

describe('a configuration that only says what is so anyway', () => {
  it.each([
    'guessing:\n  enabled: false\n  block: 1m\n',
    'authorizationServer:\n  organisations: []\n  accessTokens: jwt\n',
    'unlock:\n  mail:\n    host: ""\n    port: 587\n',
    database('host: 127.0.0.1'),
    database('host: db.example.com, caFile: ca.pem'),
    groups(`filter: "(u=\${id})", grants: [${GRANT}]`),
  ])('%j is taken', (text) => {
    expect(() => load(text)).not.toThrow();
  });
});
