const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const FORM = /^[0-9A-HJKMNP-TV-Z]{6}$/;

/** Six characters of Crockford base 32. */
export function newTicket(random: (size: number) => Uint8Array): string {
  return Array.from(random(6), (byte) => ALPHABET[byte & 31]).join('');
}

/** A ticket as a person may have written it: case does not matter, nor the letters that look like digits. Undefined if it is none. */
export function readTicket(text: string): string | undefined {
  if (text.length > 16) return undefined;
  const plain = text.replace(/[\s-]/g, '').toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1');
  return FORM.test(plain) ? plain : undefined;
}
