import {
  type Parsed,
  type Principal,
  parseApplicationId,
  parseDeviceId,
  parsed,
  parsePrincipal,
  parseTypeId,
  unparsed,
} from '@sallyport/model';

export type TokenPrincipal = Exclude<Principal, { kind: 'operator' }>;

const PLACE = /\{([A-Za-z0-9_.:/-]{1,128})\}/g;

/**
 * Checks how an issuer's tokens name a principal: `application:{client_id}`, `device:{sub}` where the claim is `TYPE/ID`,
 * `device:pump/{sub}`, or `{sub}` where the claim holds the kind too, such as `device:pump/pump-7` or `device:demo/pump/pump-7`.
 */
export function checkPrincipalTemplate(template: string): Parsed<string> {
  const claims = claimsOf(template);
  if (claims.length === 0)
    return unparsed('it names no claim; write for example application:{client_id} or device:{sub}');
  if (template.replace(PLACE, '').match(/[{}]/)) return unparsed('its braces do not stand around the name of a claim');
  if (!/^(?:(?:device|gateway|application):|\{)/.test(template)) {
    return unparsed('it begins with device:, gateway:, application: or with a claim that holds the kind');
  }
  return parsed(template);
}

function claimsOf(template: string): readonly string[] {
  return [...template.matchAll(PLACE)].map(([, claim]) => claim ?? '');
}

/** Whom a token names by the template of its issuer. A claim is taken as it is: what is no identifier names nobody. */
export function principalOfToken(
  template: string,
  claims: Readonly<Record<string, unknown>>,
  organisation: string,
): Parsed<TokenPrincipal> {
  let missing: string | undefined;
  const written = template.replace(PLACE, (_, claim: string) => {
    const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
    if (typeof value === 'string' && value !== '' && value.length <= 256) return value;
    missing ??= claim;
    return '';
  });
  if (missing !== undefined) return unparsed(`the claim "${missing}" is absent or no text`);
  const colon = written.indexOf(':');
  const kind = written.slice(0, Math.max(colon, 0));
  if (kind !== 'device' && kind !== 'gateway' && kind !== 'application') {
    return unparsed('it does not say whether it is a device, gateway or application');
  }
  const rest = written.slice(colon + 1);
  // In full as everywhere, or without the organisation, which is the issuer's in any case.
  const full = rest.split('/').length === (kind === 'application' ? 2 : 3);
  const principal = parsePrincipal(full ? written : `${kind}:${organisation}/${rest}`);
  if (!principal.ok) return unparsed('what it names has not the form of a principal');
  const { value } = principal;
  if (value.kind === 'operator') return unparsed('operators do not connect');
  if (value.organisation !== organisation) return unparsed('it names somebody of another organisation');
  const ids =
    value.kind === 'application' ? [parseApplicationId(value.id)] : [parseTypeId(value.type), parseDeviceId(value.id)];
  const bad = ids.find(({ ok }) => !ok);
  return bad === undefined || bad.ok ? parsed(value) : bad;
}
