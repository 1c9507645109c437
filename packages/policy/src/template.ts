// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of policies are written like this.
import { type Parsed, parsed, unparsed } from '@sallyport/model';
import type { Subject } from './decision.ts';

/** What a resource may be filled in with. */
export const VARIABLES = ['principal.type', 'principal.id', 'principal.organisation', 'client.id'] as const;
export type Variable = (typeof VARIABLES)[number];

/** A resource in pieces: plain text and variables take turns, beginning with text. */
export interface Template {
  readonly texts: readonly string[];
  readonly variables: readonly Variable[];
}

/** Reads `iot-2/type/${principal.type}/…`. An unknown variable or an open `${` is a problem with its position. */
export function parseTemplate(text: string): Parsed<Template> {
  const texts: string[] = [];
  const variables: Variable[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf('${', at);
    if (open < 0) break;
    const close = text.indexOf('}', open);
    if (close < 0) return unparsed('"${" is not closed by "}"', open);
    const name = text.slice(open + 2, close);
    const variable = VARIABLES.find((known) => known === name);
    if (variable === undefined) {
      return unparsed(
        `unknown variable "\${${name}}"; there are ${VARIABLES.map((known) => `\${${known}}`).join(', ')}`,
        open,
      );
    }
    texts.push(text.slice(at, open));
    variables.push(variable);
    at = close + 1;
  }
  texts.push(text.slice(at));
  return parsed({ texts, variables });
}

/** The value of a variable for a subject; none where the principal has no such part. */
export function variableValue(variable: Variable, subject: Subject): string | undefined {
  const { principal } = subject;
  switch (variable) {
    case 'client.id':
      return subject.clientId;
    case 'principal.id':
      return principal.id;
    case 'principal.organisation':
      return principal.kind === 'operator' ? undefined : principal.organisation;
    case 'principal.type':
      return principal.kind === 'device' || principal.kind === 'gateway' ? principal.type : undefined;
  }
}
