/** Crockford base 32: no letter that is taken for a digit. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUPS = 4;
const GROUP_LENGTH = 5;

/** A new code of 100 random bits, in groups that people can read to each other: `7K3QM-…`. */
export function generateCode(random: (size: number) => Uint8Array): string {
  const letters = Array.from(random(GROUPS * GROUP_LENGTH), (byte) => ALPHABET[byte & 31]).join('');
  return letters.match(/.{5}/g)?.join('-') ?? letters;
}

/** A code as somebody typed it, in the one form that is hashed. */
export function normalCode(text: string): string {
  return text
    .toUpperCase()
    .replace(/[\s-]/g, '')
    .replace(/[OIL]/g, (letter) => (letter === 'O' ? '0' : '1'));
}
