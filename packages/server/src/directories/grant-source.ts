import { Failure, type Principal, parsePrincipal } from '@sallyport/model';
import { type Grants, grantText, MOST_GRANTS, parseGrant } from '@sallyport/policy';
import type { TemplateValues } from './ldap-template.ts';

export type GrantedPrincipal = Exclude<Principal, { readonly kind: 'operator' }>;

/** Reads the written form of a principal that has topics. */
export function grantedPrincipal(name: string): GrantedPrincipal {
  const read = parsePrincipal(name);
  if (!read.ok || read.value.kind === 'operator') throw new Failure('internal', `${name} has no topics.`);
  return read.value;
}

/** What templates and queries may say of a principal. */
export function valuesOf(name: string, principal: GrantedPrincipal): TemplateValues {
  const type = principal.kind === 'application' ? '' : principal.type;
  return { principal: name, kind: principal.kind, organisation: principal.organisation, type, id: principal.id };
}

/**
 * Reads grants as they are written (`publish:FILTER`, `subscribe:FILTER`). One that cannot be read makes the whole a failure: it may have
 * been meant as a restriction.
 */
export function readGrants(texts: readonly string[], principal: GrantedPrincipal, source: string): Grants {
  const device = principal.kind === 'application' ? undefined : principal;
  const grants = new Map<string, Grants[number]>();
  for (const text of texts) {
    const read = parseGrant(text, device);
    if (!read.ok) {
      throw new Failure(
        'directory_unavailable',
        `${source} says "${text.slice(0, 80)}", which is no grant: ${read.problem}.`,
        {
          cure: 'Write publish:FILTER or subscribe:FILTER.',
        },
      );
    }
    grants.set(grantText(read.value), read.value);
  }
  if (grants.size > MOST_GRANTS) {
    throw new Failure('directory_unavailable', `${source} grants more than ${MOST_GRANTS} filters to one principal.`, {
      cure: 'Use fewer and wider filters.',
    });
  }
  return [...grants.values()];
}
