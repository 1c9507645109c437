import { Failure } from '@sallyport/model';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** Deepest nesting of arrays and objects in a request. */
const DEEPEST_JSON = 32;

/**
 * Reads JSON bodies: bounded in depth before they are parsed, `__proto__` and `constructor.prototype` refused, an empty body
 * taken as none, so that clients that always send the content type work.
 */
export function readJsonBodies(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    const text = body as string;
    if (text.trim() === '') return done(null, undefined);
    if (depthOf(text) > DEEPEST_JSON) {
      return done(new Failure('invalid_request', `The body nests deeper than ${DEEPEST_JSON} levels.`));
    }
    void parse(request, text, (error, value) => {
      // The parser's own message quotes the text, which may hold a secret.
      if (error) return done(new Failure('invalid_request', 'The body is not valid JSON.'));
      done(null, value);
    });
  });
}

/** Content type of bytes that are taken as they are. */
export const BYTES = 'application/octet-stream';

/** Lets routes that say so take a text as it is, or bytes. */
export function readPlainBodies(app: FastifyInstance, types: readonly string[]): void {
  const texts = types.filter((type) => type !== BYTES);
  if (texts.length > 0) readAs(app, texts, 'string');
  if (types.includes(BYTES)) readAs(app, [BYTES], 'buffer');
}

function readAs(app: FastifyInstance, types: string[], parseAs: 'string' | 'buffer'): void {
  const take = (request: FastifyRequest, body: unknown, done: (error: Error | null, body?: unknown) => void) => {
    const wanted = request.routeOptions.config.consumes ?? [];
    const takesTexts = wanted.some((type) => type !== BYTES);
    if (parseAs === 'string' ? takesTexts : wanted.includes(BYTES)) return done(null, body);
    const instead = wanted.length === 0 ? 'JSON only' : wanted.join(', ');
    done(new Failure('unsupported_media_type', `This route takes ${instead}.`));
  };
  if (parseAs === 'string') app.addContentTypeParser(types, { parseAs: 'string' }, take);
  else app.addContentTypeParser(types, { parseAs: 'buffer' }, take);
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === '\\') at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') deepest = Math.max(deepest, ++depth);
    else if (character === '}' || character === ']') depth--;
  }
  return deepest;
}
