import { parseStrictObject } from './strict-json.ts';

/** A token in the form of a JWT (RFC 7519) as it came: nothing in it is proven. */
export interface SignedToken {
  readonly text: string;
  readonly header: {
    readonly alg: string;
    readonly typ?: string;
    readonly kid?: string;
  };
  readonly claims: Readonly<Record<string, unknown>>;
}

export type ReadToken =
  | { readonly ok: true; readonly token: SignedToken }
  | { readonly ok: false; readonly problem: string };

/** The longest that the password of CONNECT, or the data of AUTH, can be. */
const MOST_BYTES = 65_535;
/** By these a token would bring its own key or the place where to find one (RFC 7515 section 4.1). */
const BRINGS_KEY = ['jwk', 'jku', 'x5u', 'x5c'];
const LONGEST_TEXT = 512;

/** Whether it begins as a JWT does, with a JSON object and a dot. Anything else is an opaque token. */
export function looksSigned(text: string): boolean {
  return text.startsWith('eyJ') && text.includes('.');
}

/**
 * Reads a JWT without believing it: canonical base64url, strict JSON without names that come twice, a header without keys of its own
 * and without extensions that would have to be understood.
 */
export function readSignedToken(text: string): ReadToken {
  if (text.length > MOST_BYTES) return wrong(`it has more than ${MOST_BYTES} bytes`);
  const parts = text.split('.', 4);
  const [first, second, third] = parts;
  if (parts.length !== 3 || first === undefined || second === undefined || third === undefined) {
    return wrong('it is not of the form HEADER.CLAIMS.SIGNATURE');
  }
  const header = objectOf(first);
  if (header === undefined) return wrong('its header is no base64url of a JSON object without repeated names');
  const claims = objectOf(second);
  if (claims === undefined) return wrong('its claims are no base64url of a JSON object without repeated names');
  // One signature has one form, so that nobody makes a second token of a first.
  if (bytesOf(third) === undefined || third === '') return wrong('its signature is no canonical base64url');
  const { alg, typ, kid } = header;
  if (typeof alg !== 'string' || alg.length > 32) return wrong('its header names no algorithm');
  if (typ !== undefined && !isText(typ)) return wrong('the type in its header is no text');
  if (kid !== undefined && !isText(kid)) return wrong('the key id in its header is no text');
  const own = BRINGS_KEY.find((name) => name in header);
  if (own !== undefined) return wrong(`its header brings a key of its own (${own})`);
  const extension = ['crit', 'b64', 'zip'].find((name) => name in header);
  if (extension !== undefined) return wrong(`its header uses an extension that is not understood here (${extension})`);
  return {
    ok: true,
    token: {
      text,
      header: { alg, ...(typ === undefined ? {} : { typ }), ...(kid === undefined ? {} : { kid }) },
      claims,
    },
  };
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_TEXT;
}

function objectOf(part: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = bytesOf(part);
  if (bytes === undefined) return undefined;
  try {
    return parseStrictObject(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** Undefined unless it is the one way to write these bytes in base64url. */
function bytesOf(part: string): Buffer | undefined {
  const bytes = Buffer.from(part, 'base64url');
  return bytes.toString('base64url') === part ? bytes : undefined;
}

function wrong(problem: string): ReadToken {
  return { ok: false, problem };
}
