import {
  type DevicePrincipal,
  filterCovers,
  type Parsed,
  parsed,
  parseTopicFilter,
  resolveFilter,
  topicMatches,
  unparsed,
} from '@sallyport/model';
import { editDistance } from './suggestion.ts';

/** One thing that an access token, a directory or a database lets its bearer do. */
export interface Grant {
  readonly action: 'publish' | 'subscribe';
  /** A checked topic filter, in full: a device's short topics are resolved when the grant is read. */
  readonly filter: string;
}

/**
 * What a session may do at most, by a third party's word. It permits nothing by itself: what a session may do is what both the
 * policy and its grants permit. An empty list grants nothing.
 */
export type Grants = readonly Grant[];

/** Grants that one session may have; more are refused, never cut off. */
export const MOST_GRANTS = 256;

const FORM = /^(publish|subscribe):(.+)$/su;

/**
 * Reads a grant as it is written in scopes, directories and databases: `publish:FILTER` or `subscribe:FILTER`. With a device or
 * gateway, its short topics mean its own, as everywhere.
 */
export function parseGrant(text: string, device?: DevicePrincipal): Parsed<Grant> {
  const found = FORM.exec(text);
  if (!found) return unparsed('a grant has the form publish:FILTER or subscribe:FILTER');
  const action = found[1] as Grant['action'];
  const from = action.length + 1;
  const filter = parseTopicFilter(found[2]!);
  if (!filter.ok) return unparsed(filter.problem, from + filter.position);
  return parsed({ action, filter: device ? resolveFilter(device, filter.value) : filter.value });
}

/** The written form that {@link parseGrant} reads. */
export function grantText({ action, filter }: Grant): string {
  return `${action}:${filter}`;
}

/**
 * Whether the grants permit an action. `publish` asks for one topic, `subscribe` for a whole filter, which one grant must contain;
 * `receive` goes with the right to subscribe. Total and pure; what is no topic is granted to nobody.
 */
export function grantsPermit(grants: Grants, action: 'publish' | 'subscribe' | 'receive', resource: string): boolean {
  if (action === 'subscribe') {
    if (!parseTopicFilter(resource).ok) return false;
    return grants.some((grant) => grant.action === 'subscribe' && filterCovers(grant.filter, resource));
  }
  if (resource === '' || /[+#\0]/.test(resource)) return false;
  const wanted = action === 'publish' ? 'publish' : 'subscribe';
  return grants.some((grant) => grant.action === wanted && topicMatches(grant.filter, resource));
}

/** The granted filter that is most like what was asked for; nothing if nothing of the kind is granted. For cures, not for decisions. */
export function nearestGrant(
  grants: Grants,
  action: 'publish' | 'subscribe' | 'receive',
  resource: string,
): string | undefined {
  const wanted = action === 'publish' ? 'publish' : 'subscribe';
  const asked = resource.slice(0, 256);
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const grant of grants.slice(0, MOST_GRANTS)) {
    if (grant.action !== wanted) continue;
    const distance = editDistance(grant.filter.slice(0, 256), asked);
    if (distance < least) [nearest, least] = [grant.filter, distance];
  }
  return nearest;
}
