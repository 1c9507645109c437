import { type DevicePrincipal, type Parsed, parsed, unparsed } from '@sallyport/model';
import { type Grant, type Grants, MOST_GRANTS, parseGrant } from './grants.ts';

const PREFIX = 'mqtt:';
/** The type of RFC 9396 authorization details that speak of topics. */
export const DETAILS_TYPE = 'mqtt';

/**
 * Reads the `scope` of an access token (RFC 6749 section 3.3): `mqtt:publish:FILTER` and `mqtt:subscribe:FILTER`, where FILTER is
 * percent-encoded UTF-8, because a scope cannot hold every character of a topic. Scopes of others are passed over; undefined if there
 * are none of ours. One that is ours and cannot be read makes the whole unreadable: what is not understood must not widen the rest.
 */
export function parseScope(scope: string, device?: DevicePrincipal): Parsed<Grants | undefined> {
  const grants: Grant[] = [];
  let ours = false;
  let at = 0;
  for (const token of scope.split(' ')) {
    if (token.startsWith(PREFIX)) {
      ours = true;
      const text = decoded(token.slice(PREFIX.length));
      if (text === undefined) return unparsed('the percent-encoding of a scope is not UTF-8', at);
      const grant = parseGrant(text, device);
      if (!grant.ok) return unparsed(grant.problem, at);
      grants.push(grant.value);
      if (grants.length > MOST_GRANTS) return tooMany();
    }
    at += token.length + 1;
  }
  return parsed(ours ? grants : undefined);
}

/**
 * Reads the `authorization_details` of an access token (RFC 9396 section 2): each object of the type `mqtt` grants every one of its
 * `actions` (`publish`, `subscribe`) on every filter of its `topics`, written in plain text. Undefined if there is none of that type.
 */
export function parseAuthorizationDetails(value: unknown, device?: DevicePrincipal): Parsed<Grants | undefined> {
  if (value === undefined) return parsed(undefined);
  if (!Array.isArray(value)) return unparsed('authorization_details is no list');
  const grants: Grant[] = [];
  let ours = false;
  for (const [index, detail] of (value as readonly unknown[]).entries()) {
    if (typeof detail !== 'object' || detail === null || Array.isArray(detail)) {
      return unparsed('authorization_details holds something that is no object', index);
    }
    const { type, actions, topics, ...rest } = detail as Readonly<Record<string, unknown>>;
    if (typeof type !== 'string') return unparsed('a detail has no type', index);
    if (type !== DETAILS_TYPE) continue;
    ours = true;
    const strange = Object.keys(rest)[0];
    // A field that is not understood may be a restriction (RFC 9396 section 5).
    if (strange !== undefined)
      return unparsed(`a detail of type mqtt has the unknown field ${strange.slice(0, 64)}`, index);
    if (!isTexts(actions) || !isTexts(topics)) {
      return unparsed('a detail of type mqtt needs the lists of texts "actions" and "topics"', index);
    }
    if (grants.length + actions.length * topics.length > MOST_GRANTS) return tooMany();
    for (const action of actions) {
      for (const topic of topics) {
        const grant = parseGrant(`${action}:${topic}`, device);
        if (!grant.ok) return unparsed(grant.problem, index);
        grants.push(grant.value);
      }
    }
  }
  return parsed(ours ? grants : undefined);
}

function tooMany(): Parsed<never> {
  return unparsed(`more than ${MOST_GRANTS} topics are granted`);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length > 0 && value.every((text) => typeof text === 'string');
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
