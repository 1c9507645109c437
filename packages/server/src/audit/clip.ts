import { withoutTokens } from './without-tokens.ts';

/** A text of bounded length without secrets: what strangers send is kept, but not at any size, and not if it is a token in the wrong field. */
export function clip(text: string, most = 256): string {
  const told = withoutTokens(text.length <= most ? text : `${text.slice(0, most + LONGEST_TOKEN)}…`);
  return told.length <= most ? told : `${told.slice(0, most - 1)}…`;
}

/** So much more is looked at, so that no token is cut before it is recognised. */
const LONGEST_TOKEN = 80;

export function clipped(text: string | undefined, most?: number): string | undefined {
  return text === undefined ? undefined : clip(text, most);
}
