/** One PEM block (RFC 7468) with lines of 64 characters and a final newline. */
export function pemOf(label: string, der: Uint8Array): string {
  const lines = toBase64(der).match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}

/** The DER of every block of this label, in the order of the text; blocks that are not Base64 are left out. */
export function derFromPem(text: string, label: string): Uint8Array<ArrayBuffer>[] {
  const blocks: Uint8Array<ArrayBuffer>[] = [];
  const begin = `-----BEGIN ${label}-----`;
  const end = `-----END ${label}-----`;
  let from = text.indexOf(begin);
  while (from >= 0) {
    const to = text.indexOf(end, from);
    if (to < 0) break;
    const der = fromBase64(text.slice(from + begin.length, to));
    if (der) blocks.push(der);
    from = text.indexOf(begin, to);
  }
  return blocks;
}

/** The DER of every certificate of a PEM text, in its order. */
export function certificatesFromPem(text: string): Uint8Array<ArrayBuffer>[] {
  return derFromPem(text, 'CERTIFICATE');
}

function toBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(text.replace(/\s+/g, '')), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}
