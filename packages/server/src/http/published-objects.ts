import { createHash } from 'node:crypto';
import type { CertificateAuthority, CertificateFacts } from '@sallyport/trust';
import type { OcspResponder } from '../authority/ocsp-responder.ts';
import { PUBLISHED_PATHS, publishedId } from '../authority/published-at.ts';
import type { PublishedList, RevocationLists } from '../authority/revocation-lists.ts';
import type { AttemptBound } from './attempt-bound.ts';

/** A request for something that everybody may have. */
export interface PublishedRequest {
  readonly method: string;
  /** Path and query as they came. */
  readonly url: string;
  readonly address: string;
  readonly contentType?: string | undefined;
  /** Value of If-None-Match. */
  readonly known?: string | undefined;
  readonly body: Uint8Array;
}

export interface PublishedAnswer {
  readonly status: 200 | 304 | 400 | 404 | 405 | 415 | 429 | 503;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export type AnswerPublished = (request: PublishedRequest) => Promise<PublishedAnswer>;

export interface PublishedObjectsOptions {
  readonly root: CertificateFacts;
  /** The authorities below the root. */
  readonly issuers: () => readonly CertificateAuthority[];
  /** The root with its key, if that is here. */
  readonly rootIssuer: () => Promise<CertificateAuthority | undefined>;
  /** The list of the root that was signed ahead, for as long as the key is offline. */
  readonly rootList: () => Promise<PublishedList | undefined>;
  readonly lists: Pick<RevocationLists, 'of'>;
  readonly responder: Pick<OcspResponder, 'answer'>;
  /** Requests of one address. */
  readonly bound: AttemptBound;
  readonly now: () => number;
}

/** Size of an OCSP request; certificates of one request are few. */
export const PUBLISHED_BODY_MAXIMUM = 4096;
/** Caches ask again so often, so that a revocation is known in time. Seconds. */
const LIST_FRESH = 60;
const AUTHORITY_FRESH = 86_400;

/**
 * Revocation lists, OCSP answers and the certificates of authorities: public and signed, so nobody is asked who he is. Says nothing
 * about anything else, and no more about what it does not have than that.
 */
export function publishedObjects(options: PublishedObjectsOptions): AnswerPublished {
  const { root, issuers, rootIssuer, rootList, lists, responder, bound, now } = options;

  async function list(id: string, known: string | undefined): Promise<PublishedAnswer> {
    try {
      const isOfRoot = id === publishedId(root);
      const issuer = isOfRoot
        ? await rootIssuer()
        : issuers().find(({ certificate }) => publishedId(certificate) === id);
      const found = issuer ? await lists.of(issuer) : isOfRoot ? await rootList() : undefined;
      if (!found) return said(404, 'There is no such revocation list here.');
      const { der, thisUpdate, nextUpdate } = found;
      return object(der, known, {
        'content-type': 'application/pkix-crl',
        'last-modified': new Date(thisUpdate).toUTCString(),
        expires: new Date(nextUpdate).toUTCString(),
        'cache-control': `public, max-age=${LIST_FRESH}`,
      });
    } catch {
      return said(503, 'The revocation list cannot be made at the moment.');
    }
  }

  function authority(id: string, known: string | undefined): PublishedAnswer {
    const facts = [root, ...issuers().map(({ certificate }) => certificate)].find((one) => publishedId(one) === id);
    if (!facts) return said(404, 'There is no such authority here.');
    const cache = `public, max-age=${AUTHORITY_FRESH}`;
    return object(facts.der, known, { 'content-type': 'application/pkix-cert', 'cache-control': cache });
  }

  async function status(request: Uint8Array, mayCache: boolean): Promise<PublishedAnswer> {
    try {
      const { der, freshUntil } = await responder.answer(request);
      const seconds = freshUntil === undefined ? 0 : Math.max(0, Math.floor((freshUntil - now()) / 1000));
      return {
        status: 200,
        headers: {
          'content-type': 'application/ocsp-response',
          'cache-control': mayCache && seconds > 0 ? `public, max-age=${Math.min(seconds, LIST_FRESH)}` : 'no-store',
        },
        body: der,
      };
    } catch {
      return said(503, 'The answer cannot be given at the moment.');
    }
  }

  return async ({ method, url, address, contentType, known, body }) => {
    const path = url.split('?', 1)[0] ?? '';
    const [, kind, id = ''] = /^\/pki\/(crl|ca)\/([0-9a-f]{16})\.(?:crl|crt)$/.exec(path) ?? [];
    const asksStatus = path === PUBLISHED_PATHS.responder || path.startsWith(`${PUBLISHED_PATHS.responder}/`);
    if (kind === undefined && !asksStatus) return said(404, 'There is no such path here.');
    const wait = bound.take(address);
    if (wait > 0) {
      const seconds = String(Math.ceil(wait / 1000));
      return {
        ...said(429, 'Too many requests come from this address.'),
        headers: { ...TEXT, 'retry-after': seconds },
      };
    }
    const reads = method === 'GET' || method === 'HEAD';
    if (kind !== undefined) {
      if (!reads) return { ...said(405, 'It can only be read.'), headers: { ...TEXT, allow: 'GET, HEAD' } };
      return kind === 'crl' ? list(id, known) : authority(id, known);
    }
    if (method === 'POST' && path === PUBLISHED_PATHS.responder) {
      if (contentType?.split(';', 1)[0]?.trim().toLowerCase() !== 'application/ocsp-request') {
        return said(415, 'A request has the content type application/ocsp-request.');
      }
      return status(body, false);
    }
    if (!reads)
      return { ...said(405, 'It is asked with GET or POST.'), headers: { ...TEXT, allow: 'GET, HEAD, POST' } };
    const request = requestInPath(path.slice(PUBLISHED_PATHS.responder.length + 1));
    return request ? status(request, true) : said(400, 'The path holds no OCSP request.');
  };
}

/** RFC 6960 appendix A.1: base64 with whatever of it the client has escaped. */
function requestInPath(text: string): Uint8Array | undefined {
  if (text === '' || text.length > 2 * PUBLISHED_BODY_MAXIMUM) return undefined;
  try {
    const plain = decodeURIComponent(text);
    return /^[A-Za-z0-9+/]+={0,2}$/.test(plain) ? Buffer.from(plain, 'base64') : undefined;
  } catch {
    return undefined;
  }
}

function object(
  der: Uint8Array,
  known: string | undefined,
  headers: Readonly<Record<string, string>>,
): PublishedAnswer {
  const etag = `"${createHash('sha256').update(der).digest('base64url').slice(0, 22)}"`;
  if (known?.includes(etag)) return { status: 304, headers: { ...headers, etag }, body: NOTHING };
  return { status: 200, headers: { ...headers, etag }, body: der };
}

const NOTHING = new Uint8Array();
const TEXT = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };

function said(status: PublishedAnswer['status'], text: string): PublishedAnswer {
  return { status, headers: TEXT, body: Buffer.from(`${text}\n`) };
}
