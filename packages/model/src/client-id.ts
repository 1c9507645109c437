import { parseApplicationId, parseDeviceId, parseInstanceId, parseOrganisationId, parseTypeId } from './identifier.ts';
import { type Parsed, parsed, unparsed } from './parsed.ts';
import { type Principal, principalName } from './principal.ts';

/** A checked client identifier. `plain` names nobody: who it is must come from a user name, a certificate or a token. */
export type ClientId =
  | {
      readonly kind: 'device' | 'gateway';
      readonly text: string;
      readonly organisation: string;
      readonly type: string;
      readonly id: string;
    }
  | {
      readonly kind: 'application';
      readonly text: string;
      readonly organisation: string;
      readonly id: string;
      /** `A:`: all instances of the application share each subscription. */
      readonly scalable: boolean;
      readonly instance?: string;
    }
  | { readonly kind: 'plain'; readonly text: string };

interface Form {
  readonly form: string;
  readonly fewest: number;
  readonly parsers: readonly ((text: string) => Parsed<string>)[];
}

const DEVICE_PARSERS = [parseOrganisationId, parseTypeId, parseDeviceId];

const FORMS: ReadonlyMap<string, Form> = new Map([
  ['d', { form: 'd:ORGANISATION:TYPE:ID', fewest: 3, parsers: DEVICE_PARSERS }],
  ['g', { form: 'g:ORGANISATION:TYPE:ID', fewest: 3, parsers: DEVICE_PARSERS }],
  ['a', { form: 'a:ORGANISATION:APPLICATION', fewest: 2, parsers: [parseOrganisationId, parseApplicationId] }],
  [
    'A',
    {
      form: 'A:ORGANISATION:APPLICATION or A:ORGANISATION:APPLICATION:INSTANCE',
      fewest: 2,
      parsers: [parseOrganisationId, parseApplicationId, parseInstanceId],
    },
  ],
]);

/**
 * Reads the client identifier of CONNECT. One that begins with `d:`, `g:`, `a:` or `A:` must be whole; every other text,
 * also the empty one, is `plain`. Case counts and nothing is decoded.
 */
export function parseClientId(text: string): Parsed<ClientId> {
  const form = text.charAt(1) === ':' ? FORMS.get(text.charAt(0)) : undefined;
  if (!form) return parsed({ kind: 'plain', text });

  const parts = text.slice(2).split(':');
  if (parts.length < form.fewest || parts.length > form.parsers.length) {
    return unparsed(`a client id that begins with "${text.slice(0, 2)}" has the form ${form.form}`, 2);
  }
  let position = 2;
  for (const [index, part] of parts.entries()) {
    const answer = form.parsers[index]!(part);
    if (!answer.ok) return unparsed(`${answer.problem} (form: ${form.form})`, position + answer.position);
    position += part.length + 1;
  }

  const [organisation = '', second = '', third] = parts;
  const prefix = text.charAt(0);
  if (prefix === 'd' || prefix === 'g') {
    return parsed({ kind: prefix === 'd' ? 'device' : 'gateway', text, organisation, type: second, id: third ?? '' });
  }
  return parsed({
    kind: 'application',
    text,
    organisation,
    id: second,
    scalable: prefix === 'A',
    ...(third === undefined ? {} : { instance: third }),
  });
}

/** The client id that belongs to a principal: `d:demo:pump:pump-7`, `g:demo:hub:hub-1`, `a:demo:desk`. Operators have none of MQTT; theirs is the written form. */
export function clientIdOf(principal: Principal): string {
  switch (principal.kind) {
    case 'device':
      return `d:${principal.organisation}:${principal.type}:${principal.id}`;
    case 'gateway':
      return `g:${principal.organisation}:${principal.type}:${principal.id}`;
    case 'application':
      return `a:${principal.organisation}:${principal.id}`;
    case 'operator':
      return principalName(principal);
  }
}
