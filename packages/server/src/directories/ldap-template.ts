// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of templates are written like this.
import { escapeFilter } from 'ldapts';

/** What may stand for something in a DN or filter: `${username}`, `${id}`, … */
export type TemplateValues = Readonly<Record<string, string>>;

const VARIABLE = /\$\{([a-z]+)\}/g;

/** Fills a distinguished name; values are escaped as RFC 4514 section 2.4 demands, so that each stays one value. */
export function fillDn(template: string, values: TemplateValues): string {
  return fill(template, values, escapeDnValue);
}

/** Fills a search filter; values are escaped as RFC 4515 section 3 demands, so that each stays one value. */
export function fillFilter(template: string, values: TemplateValues): string {
  return fill(template, values, (value) => escapeFilter`${value}`);
}

function fill(template: string, values: TemplateValues, written: (value: string) => string): string {
  return template.replace(VARIABLE, (_, name: string) => written(values[name] ?? ''));
}

const SPECIAL = new Set('\\"+,;<>=#');
const SPACE = 0x20;
const DELETE = 0x7f;

function escapeDnValue(value: string): string {
  const characters = [...value];
  return characters
    .map((character, index) => {
      const code = character.charCodeAt(0);
      if (code < SPACE || code === DELETE) return `\\${code.toString(16).padStart(2, '0')}`;
      const atEdge = code === SPACE && (index === 0 || index === characters.length - 1);
      return atEdge || SPECIAL.has(character) ? `\\${character}` : character;
    })
    .join('');
}
