// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of templates are written like this.
import { FilterParser } from 'ldapts';
import type { ProofKind } from './organisations-section.ts';
import type { Configuration } from './schema.ts';
import type { Path, Source } from './source.ts';

type Block = Configuration['organisations'][number];
type Complain = (path: Path, problem: string) => void;

const VARIABLES = new Set(['dn', 'id', 'type', 'kind', 'organisation', 'principal']);
/** The order in which kinds are looked at for their own sake; only the others can be ordered freely. */
const ANSWERS_FOR_ALL: ProofKind = 'password';

/** What cannot hold together in the blocks of organisations, each with the line to change. */
export function organisationContradictions({ organisations, listeners }: Configuration, source: Source): string[] {
  const found: string[] = [];
  const seen = new Set<string>();
  for (const [index, block] of organisations.entries()) {
    const complain: Complain = (path, problem) => {
      const full = ['organisations', index, ...path];
      found.push(
        `${source.where(full)}: organisations[${index}]${path.map((step) => `.${step}`).join('')}: ${problem}`,
      );
    };
    if (seen.has(block.id)) complain(['id'], `organisation "${block.id}" has a block already; write it once`);
    seen.add(block.id);
    order(block, complain);
    directory(block, complain);
    if (block.database && block.directory?.groups) {
      complain(['database'], 'says what is granted, and directory.groups does too; only one may');
    }
    statement(block, complain);
    if (block.hook && block.hook.cacheLifetime > block.hook.sessionLifetime) {
      complain(
        ['hook', 'cacheLifetime'],
        'is more than sessionLifetime: a session would come back on the answer by which it ended',
      );
    }
    if (block.authenticators?.includes('certificate') && listeners.mqttTls.clientCertificates === 'off') {
      complain(
        ['authenticators'],
        'names certificate, and listeners.mqttTls.clientCertificates is off: nobody is asked for one',
      );
    }
  }
  return found;
}

function order({ authenticators, directory: ldap, hook }: Block, complain: Complain): void {
  const asks = { directory: ldap?.users !== undefined, hook: hook !== undefined };
  const where = { directory: 'directory.users', hook: 'hook' };
  for (const kind of ['directory', 'hook'] as const) {
    const named = authenticators?.includes(kind) ?? false;
    if (named && !asks[kind]) complain(['authenticators'], `names ${kind}, and ${where[kind]} is not set`);
    if (!named && asks[kind]) {
      complain(where[kind].split('.'), `is set, and authenticators does not name ${kind}, so it would never be asked`);
    }
  }
  if (!authenticators) return;
  for (const [position, kind] of authenticators.entries()) {
    if (authenticators.indexOf(kind) !== position) complain(['authenticators', position], `names ${kind} twice`);
  }
  const last = authenticators.indexOf(ANSWERS_FOR_ALL);
  const after = authenticators.slice(last + 1).find((kind) => kind === 'directory' || kind === 'hook');
  if (last >= 0 && after !== undefined) {
    complain(
      ['authenticators', last],
      `password answers for every user name, so ${after} after it would never be asked; put password behind it`,
    );
  }
  const bind = authenticators.indexOf('directory');
  if (bind >= 0 && authenticators.indexOf('hook') > bind) {
    complain(['authenticators', bind], 'directory answers for every user name, so hook after it would never be asked');
  }
}

function directory({ id, directory: ldap }: Block, complain: Complain): void {
  if (!ldap) return;
  if (ldap.url.startsWith('ldap:') && !ldap.startTls) {
    complain(['directory', 'url'], 'has no TLS; write ldaps://, or set startTls to true');
  }
  if (ldap.url.startsWith('ldaps:') && ldap.startTls) {
    complain(['directory', 'startTls'], 'is true, and ldaps:// has TLS from the beginning');
  }
  if ((ldap.reader === 'none') !== (ldap.readerPasswordFile === 'none')) {
    complain(
      ['directory', 'reader'],
      'and readerPasswordFile belong together: a name without a password binds as nobody',
    );
  }
  if (ldap.reader !== 'none' && !ldap.users?.search && !ldap.groups) {
    complain(['directory', 'reader'], 'is set, and neither users.search nor groups would search');
  }
  if (!ldap.users && !ldap.groups) complain(['directory'], 'has neither users nor groups, so it would never be asked');
  const { users, groups } = ldap;
  if (users) {
    if ((users.dn === 'none') === (users.search === undefined)) {
      complain(
        ['directory', 'users'],
        users.search ? 'has both dn and search; only one finds the entry of a user' : 'has neither dn nor search',
      );
    }
    if (users.search) search(users.search.filter, ['directory', 'users', 'search', 'filter'], complain);
    for (const key of users.search ? (['principal'] as const) : (['dn', 'principal'] as const)) {
      const unknown = variablesIn(users[key]).find((name) => name !== 'username');
      if (unknown !== undefined) complain(['directory', 'users', key], `knows \${username} only, not \${${unknown}}`);
      if (!users[key].includes('${username}')) {
        complain(['directory', 'users', key], 'does not hold ${username}: everybody would be the same');
      }
    }
    if (!new RegExp(`^(application|device|gateway):${id.replaceAll('.', '\\.')}/`).test(users.principal)) {
      complain(
        ['directory', 'users', 'principal'],
        `must be one of this organisation, such as application:${id}/\${username}`,
      );
    }
  }
  if (groups) {
    for (const key of ['filter', 'entry'] as const) {
      const unknown = variablesIn(groups[key]).find(
        (name) => !VARIABLES.has(name) || (key === 'entry' && name === 'dn'),
      );
      if (unknown !== undefined) complain(['directory', 'groups', key], `does not know \${${unknown}}`);
    }
    const byEntry = variablesIn(groups.filter).includes('dn');
    const named = groups.entry !== 'uid=${id}';
    if (byEntry !== named) {
      complain(
        ['directory', 'groups', 'entry'],
        named ? 'is set, and filter does not hold ${dn}' : 'is not set, and filter holds ${dn}',
      );
    }
    for (const [index, { group }] of groups.grants.entries()) {
      if (groups.grants.findIndex((other) => other.group === group) !== index) {
        complain(['directory', 'groups', 'grants', index, 'group'], `names "${group}" twice`);
      }
    }
    if (groups.grants.length === 0) complain(['directory', 'groups', 'grants'], 'is empty: nobody could do anything');
    const problem = filterProblem(groups.filter);
    if (problem !== undefined) complain(['directory', 'groups', 'filter'], problem);
    if (variablesIn(groups.filter).length === 0) {
      complain(['directory', 'groups', 'filter'], 'holds no variable: everybody would be in the same groups');
    }
  }
}

/** A filter that finds users by their name, and nobody without it. */
function search(filter: string, path: Path, complain: Complain): void {
  const problem = filterProblem(filter);
  if (problem !== undefined) complain(path, problem);
  const unknown = variablesIn(filter).find((name) => name !== 'username');
  if (unknown !== undefined) complain(path, `knows \${username} only, not \${${unknown}}`);
  if (!filter.includes('${username}')) complain(path, 'does not hold ${username}: everybody would be the same');
}

/** Whether a directory would understand it, with something in place of the variables. */
function filterProblem(filter: string): string | undefined {
  try {
    FilterParser.parseString(filter.replace(/\$\{[^}]*\}/g, 'x'));
    return undefined;
  } catch (error) {
    return `is no filter (RFC 4515): ${error instanceof Error ? error.message : String(error)}`;
  }
}

function statement({ database }: Block, complain: Complain): void {
  if (!database) return;
  if (database.caFile === 'none' && !/^(localhost|127(\.\d{1,3}){3}|::1|\/.*)$/.test(database.host)) {
    complain(
      ['database', 'host'],
      'is another machine, and caFile is not set: password and grants would travel without TLS',
    );
  }
  const named = [...database.query.matchAll(/\$([0-9]{1,2})/g)].map((match) => Number(match[1]));
  const highest = Math.max(0, ...named);
  if (highest !== database.parameters.length) {
    complain(['database', 'query'], `names $1 to $${highest}, and there are ${database.parameters.length} parameters`);
  }
}

function variablesIn(text: string): readonly string[] {
  return [...text.matchAll(/\$\{([^}]*)\}/g)].map((match) => match[1] ?? '');
}
