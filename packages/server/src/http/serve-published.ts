import type { FastifyInstance } from 'fastify';
import { type AnswerPublished, PUBLISHED_BODY_MAXIMUM } from './published-objects.ts';

/** Answers below `/pki` on the HTTPS door. */
export function servePublished(app: FastifyInstance, answer: AnswerPublished): void {
  app.register(
    async (scope) => {
      scope.removeAllContentTypeParsers();
      const parsed = { parseAs: 'buffer', bodyLimit: PUBLISHED_BODY_MAXIMUM } as const;
      scope.addContentTypeParser('*', parsed, (_request, body, done) => done(null, body));
      scope.route({
        method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
        url: '/*',
        schema: { hide: true },
        exposeHeadRoute: false,
        handler: async ({ method, raw, headers, body, ip }, reply) => {
          const answered = await answer({
            method,
            url: raw.url ?? '',
            address: ip,
            contentType: headers['content-type'],
            known: headers['if-none-match'],
            body: Buffer.isBuffer(body) ? body : new Uint8Array(),
          });
          return reply.code(answered.status).headers(answered.headers).send(Buffer.from(answered.body));
        },
      });
    },
    { prefix: '/pki' },
  );
}
