// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of templates are written like this.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../src/config/load.ts';
import { unsafeSettings } from '../../src/config/unsafe-settings.ts';

const folder = mkdtempSync(join(tmpdir(), 'sallyport-organisations-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function load(text: string) {
  const file = join(folder, 'sallyport.yaml');
  writeFileSync(file, text);
  return loadConfiguration({ file });
}

const USERS = 'users: { dn: "uid=${username},ou=people", principal: "application:demo/${username}" }';
const LDAP = `url: ldaps://ldap.example.com, ${USERS}`;
const SQL = 'host: db, database: d, user: u, passwordFile: p.txt';

const STANDS = 'principal: "application:demo/${username}"';
const FOUND = 'search: { base: "ou=people", filter: "(uid=${username})" }';
const directoryWith = (users: string) => `directory: { url: ldaps://ldap.example.com, users: ${users} }`;
const searching = (filter: string) =>
  directoryWith(`{ search: { base: "ou=people", filter: "${filter}" }, ${STANDS} }`);

describe('the block of an organisation', () => {
  it('has its files beside the configuration file', () => {
    const { organisations } = load(
      `organisations:\n  - id: demo\n    authenticators: [token, hook]\n    hook: { url: "https://h.example", secretFile: hook.secret }\n`,
    );
    expect(organisations[0]?.hook).toMatchObject({ secretFile: join(folder, 'hook.secret'), caFile: 'none' });
  });

  it('is announced at each start where its web hook is told passwords', () => {
    const text = (more: string) =>
      `organisations:\n  - id: demo\n    authenticators: [token, hook]\n    hook: { url: "https://h.example/x", secretFile: s${more} }\n`;
    expect(unsafeSettings(load(text('')))).toEqual([]);
    const [announced] = unsafeSettings(load(text(', unsafeTellPassword: true')));
    expect(announced?.setting).toBe('organisations[].hook.unsafeTellPassword');
    expect(announced?.meaning).toContain('https://h.example');
  });

  it.each([
    ['[token, directory]', '', 3, 'names directory, and directory.users is not set'],
    ['[token]', `directory: { ${LDAP} }`, 4, 'authenticators does not name directory'],
    ['[password, directory]', `directory: { ${LDAP} }`, 3, 'password answers for every user name'],
    ['[token, token]', '', 3, 'names token twice'],
    ['[directory]', `directory: { ${LDAP.replace('ldaps', 'ldap')} }`, 4, 'has no TLS'],
    ['[directory]', `directory: { ${LDAP}, reader: "cn=r" }`, 4, 'belong together'],
    ['[directory]', `directory: { ${LDAP.replace('demo/', 'other/')} }`, 4, 'must be one of this organisation'],
    ['[directory]', `directory: { ${LDAP.replace('uid=${username}', 'uid=ann')} }`, 4, 'everybody would be the same'],
    ['[directory]', directoryWith('{ principal: "application:demo/${username}" }'), 4, 'has neither dn nor search'],
    ['[directory]', directoryWith(`{ dn: "uid=\${username}", ${FOUND}, ${STANDS} }`), 4, 'has both dn and search'],
    ['[directory]', searching('(uid=ann)'), 4, 'everybody would be the same'],
    ['[directory]', searching('(uid=${username}'), 4, 'is no filter (RFC 4515)'],
    ['[directory]', searching('(uid=${user})'), 4, 'knows ${username} only'],
    ['[token]', `database: { ${SQL}, query: "select a from b" }`, 4, 'names $1 to $0, and there are 1 parameters'],
  ])('with %s %s is refused with its line', (order, rest, line, problem) => {
    const text = `organisations:\n  - id: demo\n    authenticators: ${order}\n    ${rest}\n`;
    expect(() => load(text)).toThrow(problem);
    expect(() => load(text)).toThrow(`sallyport.yaml:${line}:`);
  });

  it.each([
    ['idd: demo', '"idd" is not a key of organisations[0]; did you mean "id"?'],
    ['id: demo\n    hook: { url: "http://h" }', 'https://'],
    [`id: demo\n    database: { ${SQL}, query: "delete from b" }`, 'a statement such as select'],
    [`id: demo\n    database: { ${SQL}, query: "select 1; drop table b" }`, 'a statement such as select'],
    ['id: demo\n  - id: demo', 'has a block already'],
  ])('with %j is refused', (text, problem) => {
    expect(() => load(`organisations:\n  - ${text}\n`)).toThrow(problem);
  });
});
