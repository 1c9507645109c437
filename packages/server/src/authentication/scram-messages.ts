import { type Parsed, parsed, unparsed } from '@sallyport/model';

/** `client-first-message` (RFC 5802 section 7). */
export interface ClientFirst {
  /** As it stands before the rest, to be repeated in the last message. */
  readonly gs2Header: string;
  readonly bare: string;
  readonly username: string;
  readonly nonce: string;
}

/** `client-final-message`. */
export interface ClientFinal {
  readonly gs2Header: string;
  readonly nonce: string;
  readonly withoutProof: string;
  readonly proof: Buffer;
}

const LONGEST_NAME = 256;
const NONCE = /^[\x21-\x2b\x2d-\x7e]{8,256}$/;

/**
 * Reads the first message of a client. It may say that it does not use channel binding (`n`), or would if the server did (`y`): none
 * is offered. An identity to act as is not taken, and neither is an extension that has to be understood.
 */
export function readClientFirst(text: string): Parsed<ClientFirst> {
  const found = /^([ny]),(a=[^,]*)?,([\s\S]*)$/.exec(text);
  if (!found) {
    return unparsed(
      /^p=/.test(text) ? 'channel binding is not offered' : 'the first message does not begin with n,, or y,,',
    );
  }
  const [, , other, bare = ''] = found;
  if (other !== undefined) return unparsed('acting as somebody else (a=) is not offered');
  const [name = '', nonce = ''] = bare.split(',');
  if (name.startsWith('m=')) return unparsed('it demands an extension (m=)');
  if (!name.startsWith('n=') || !nonce.startsWith('r=')) return unparsed('it has not the form n=USER,r=NONCE');
  const username = saslName(name.slice(2));
  if (username === undefined) return unparsed('the user name is empty, too long, or badly escaped');
  if (!NONCE.test(nonce.slice(2))) return unparsed('the nonce has not 8 to 256 printable characters');
  return parsed({ gs2Header: text.slice(0, text.length - bare.length), bare, username, nonce: nonce.slice(2) });
}

/** Reads the last message of a client; what stands between nonce and proof is for others, and counts into what is proven. */
export function readClientFinal(text: string): Parsed<ClientFinal> {
  const at = text.lastIndexOf(',p=');
  const withoutProof = text.slice(0, Math.max(at, 0));
  const [binding = '', nonce = ''] = withoutProof.split(',');
  if (at < 0 || !binding.startsWith('c=') || !nonce.startsWith('r=')) {
    return unparsed('the last message has not the form c=…,r=NONCE,p=PROOF');
  }
  const gs2Header = base64(binding.slice(2));
  const proof = base64(text.slice(at + 3));
  if (gs2Header === undefined || proof === undefined) return unparsed('its base64 cannot be read');
  return parsed({ gs2Header: gs2Header.toString('latin1'), nonce: nonce.slice(2), withoutProof, proof });
}

/** RFC 5802 section 5.1: a comma and an equals sign are escaped, and nothing else is. */
function saslName(text: string): string | undefined {
  if (text === '' || text.length > LONGEST_NAME || /=(?!2C|3D)/.test(text)) return undefined;
  return text.replace(/=2C/g, ',').replace(/=3D/g, '=');
}

function base64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}
