// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of templates are written like this.
import { randomBytes } from 'node:crypto';
import { Failure } from '@sallyport/model';
import type { LdapDirectory } from './ldap-directory.ts';
import { fillDn, fillFilter } from './ldap-template.ts';

/** How the entry of a user is found by the user name: by a DN of which it is a part, or by a search. */
export type LdapUserSettings =
  | { readonly dn: string }
  | {
      readonly base: string;
      /** With `${username}`. */
      readonly filter: string;
      /** Attribute whose value is the user's name from then on; absent: the user name as it was written. */
      readonly nameAttribute?: string;
    };

/**
 * Answers the name of a user whose password was proven, undefined if it was not. A user name is one value in DN and filter,
 * whatever it holds; one that fits several entries is nobody's.
 */
export function ldapUsers(directory: LdapDirectory, settings: LdapUserSettings) {
  if ('dn' in settings) {
    return async (username: string, password: string): Promise<string | undefined> =>
      (await directory.proves(fillDn(settings.dn, { username }), password)) ? username : undefined;
  }
  const { base, filter, nameAttribute } = settings;
  return async (username: string, password: string): Promise<string | undefined> => {
    const attributes = nameAttribute === undefined ? [] : [nameAttribute];
    const found = await directory.findOne({ base, filter: fillFilter(filter, { username }), attributes });
    if (found === 'none' || found === 'several') {
      // Who is not there must cost what a wrong password costs.
      await directory.proves(`cn=${randomBytes(12).toString('hex')},${base}`, password);
      return undefined;
    }
    if (!(await directory.proves(found.dn, password))) return undefined;
    if (nameAttribute === undefined) return username;
    const values = Object.entries(found.attributes).find(
      ([name]) => name.toLowerCase() === nameAttribute.toLowerCase(),
    );
    const [name, another] = values?.[1] ?? [];
    if (name !== undefined && another === undefined) return name;
    throw new Failure(
      'directory_unavailable',
      `The entry ${found.dn} has ${name === undefined ? 'no' : 'several'} ${nameAttribute}.`,
      { cure: 'Give the entry one value of it, or choose another nameAttribute under directory.users.search.' },
    );
  };
}
