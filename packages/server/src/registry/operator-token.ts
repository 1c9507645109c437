/** Length of the secret part: 160 random bits in base 32. */
const SECRET_LENGTH = 32;
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const FORM = /^op-([A-Za-z0-9_.-]{1,36})-[0-9a-hjkmnp-tv-z]{32}$/;

/**
 * Makes a bearer token of an operator: `op-ID-SECRET`, where SECRET is 32 characters of Crockford base 32.
 * The id travels in the token so that the one credential to compare with is found directly, without a search over hashes.
 */
export function operatorToken(id: string, random: (size: number) => Uint8Array): string {
  let secret = '';
  for (const byte of random(SECRET_LENGTH)) secret += ALPHABET[byte & 31];
  return `op-${id}-${secret}`;
}

/** The operator that a bearer token claims to be; nothing is proven by it. Undefined if the text is not of that form. */
export function operatorIdOfToken(token: string): string | undefined {
  // The longest form is 3 + 36 + 1 + 32; anything longer is a stranger's flood and not worth a regular expression.
  return token.length > 72 ? undefined : FORM.exec(token)?.[1];
}
