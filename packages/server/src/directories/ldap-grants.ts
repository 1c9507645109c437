// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of templates are written like this.
import type { Grants } from '@sallyport/policy';
import { grantedPrincipal, readGrants, valuesOf } from './grant-source.ts';
import type { LdapDirectory } from './ldap-directory.ts';
import { fillDn, fillFilter } from './ldap-template.ts';

export interface LdapGroupSettings {
  readonly base: string;
  /** With variables, such as `(member=${dn})` or `(memberUid=${id})`. */
  readonly filter: string;
  /** DN of the principal's own entry, with variables; it is `${dn}` in the filter. */
  readonly entry: string;
  /** Attribute that names a group. */
  readonly attribute: string;
  /** What members of a group may do. */
  readonly grants: readonly { readonly group: string; readonly grants: readonly string[] }[];
}

const MOST_GROUPS = 200;

/** Grants by membership in groups of a directory: all that the groups of a principal give, together. */
export function ldapGrants(directory: LdapDirectory, settings: LdapGroupSettings) {
  const { base, filter, entry, attribute, grants: table } = settings;
  return async (name: string): Promise<Grants> => {
    const principal = grantedPrincipal(name);
    const values = valuesOf(name, principal);
    const dn = fillDn(entry, values);
    const found = await directory.search({
      base,
      filter: fillFilter(filter, { ...values, dn }),
      attributes: [attribute],
      most: MOST_GROUPS,
    });
    const wanted = attribute.toLowerCase();
    const groups = new Set(
      found.flatMap(({ attributes }) =>
        Object.entries(attributes).flatMap(([key, texts]) => (key.toLowerCase() === wanted ? texts : [])),
      ),
    );
    const texts = table.flatMap(({ group, grants }) => (groups.has(group) ? grants : []));
    return readGrants(texts, principal, 'The directory');
  };
}
