import {
  type Parsed,
  type Principal,
  parseApplicationId,
  parseDeviceId,
  parsed,
  parseOrganisationId,
  parseTypeId,
  unparsed,
} from '@sallyport/model';

/** Whom a statement concerns. `key` is shared with {@link principalKeys}: a pattern fits a principal if it is one of its keys. */
export interface PrincipalPattern {
  readonly text: string;
  readonly key: string;
}

const FORMS =
  'device:demo/pump/pump-7, device:demo/pump/*, device:demo/*, device:*, application:demo/desk, gateway:*, or *';
const PARSERS: Readonly<Record<string, readonly ((text: string) => Parsed<string>)[]>> = {
  device: [parseOrganisationId, parseTypeId, parseDeviceId],
  gateway: [parseOrganisationId, parseTypeId, parseDeviceId],
  application: [parseOrganisationId, parseApplicationId],
  operator: [parseApplicationId],
};

/**
 * Reads a principal pattern: a written principal whose last part may be `*`, or `*`. In a document of an organisation,
 * `*` and `device:*` mean those of the organisation, and no other organisation can be named.
 */
export function parsePrincipalPattern(text: string, organisation?: string): Parsed<PrincipalPattern> {
  if (text === '*') return parsed({ text, key: organisation === undefined ? '*' : `*:${organisation}/*` });
  const colon = text.indexOf(':');
  const kind = text.slice(0, Math.max(colon, 0));
  const parsers = Object.hasOwn(PARSERS, kind) ? PARSERS[kind] : undefined;
  if (!parsers) return unparsed(`"${text}" is no principal pattern; write one like ${FORMS}`);
  if (kind === 'operator' && organisation !== undefined) return unparsed('operators belong to no organisation');

  const parts = text.slice(colon + 1).split('/');
  const open = parts.at(-1) === '*';
  if (parts.length > parsers.length || (!open && parts.length < parsers.length)) {
    return unparsed(`"${text}" is no principal pattern; write one like ${FORMS}`, colon + 1);
  }
  let position = colon + 1;
  for (const [index, part] of parts.entries()) {
    if (open && index === parts.length - 1) break;
    const answer = parsers[index]!(part);
    if (!answer.ok) return unparsed(answer.problem, position + answer.position);
    position += part.length + 1;
  }
  if (organisation !== undefined && text !== `${kind}:*` && parts[0] !== organisation) {
    return unparsed(`the document belongs to "${organisation}" and cannot speak of "${parts[0]}"`, colon + 1);
  }
  const key = organisation !== undefined && text === `${kind}:*` ? `${kind}:${organisation}/*` : text;
  return parsed({ text, key });
}

/** The keys of all patterns that fit a principal, from the exact one to `*`. */
export function principalKeys(principal: Principal): readonly string[] {
  const { kind, id } = principal;
  if (principal.kind === 'operator') return [`operator:${id}`, 'operator:*', '*'];
  const { organisation } = principal;
  const wide = [`${kind}:${organisation}/*`, `${kind}:*`, `*:${organisation}/*`, '*'];
  if (principal.kind === 'application') return [`${kind}:${organisation}/${id}`, ...wide];
  const { type } = principal;
  return [`${kind}:${organisation}/${type}/${id}`, `${kind}:${organisation}/${type}/*`, ...wide];
}
