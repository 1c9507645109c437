import type { Server } from 'node:https';
import helmet from '@fastify/helmet';
import { Failure } from '@sallyport/model';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { serializerCompiler, validatorCompiler } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { ApiOptions } from './api-options.ts';
import { apiRoutes } from './api-routes.ts';
import { registerEst } from './est.ts';
import { firmwareDoor } from './firmware-door.ts';
import { readJsonBodies, readPlainBodies } from './json-body.ts';
import { answerMalformedHttp } from './malformed-http.ts';
import { openOauthDoor } from './oauth-door.ts';
import { describeApi, schemaOf } from './openapi.ts';
import { type Admitted, type OperatorGate, operatorGate } from './operator-gate.ts';
import { PROBLEM_TYPE, problem, problemOf } from './problem.ts';
import type { Route } from './route.ts';
import { methodsOf } from './route-methods.ts';
import { servePublished } from './serve-published.ts';

/** Where the routes of this version live. Other paths (`/api/v0002`, `/mqtt`, pages) are free for other doors. */
const API_PREFIX = '/api/v1';
const LARGEST_BODY = 1_048_576;

/**
 * Builds the HTTPS API. It does not listen: whoever calls it does, and may attach an upgrade to `app.server`. Every error is
 * a problem (RFC 9457); nothing but health and the OpenAPI document is answered without an operator's token.
 */
export function buildApi(options: ApiOptions): FastifyInstance<Server> {
  const app = Fastify<Server>({
    https: { ...options.tls, handshakeTimeout: 10_000 },
    logger: false,
    bodyLimit: LARGEST_BODY,
    requestTimeout: 30_000,
    keepAliveTimeout: 10_000,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 512, caseSensitive: true, ignoreTrailingSlash: false },
    return503OnClosing: true,
    clientErrorHandler: answerMalformedHttp,
    frameworkErrors: (error, _request, reply) => {
      sendProblem(reply, problemOf(error));
    },
  });
  const plain = app as unknown as FastifyInstance;
  plain.setValidatorCompiler(validatorCompiler);
  plain.setSerializerCompiler(serializerCompiler);
  readJsonBodies(plain);
  plain.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: false,
    xFrameOptions: { action: 'deny' },
  });
  plain.addHook('onRequest', rememberTls);

  const routes = apiRoutes(options, options.now);
  readPlainBodies(plain, [...new Set(routes.flatMap((one) => one.consumes ?? []))]);
  plain.setErrorHandler((error: FastifyError, request, reply) => {
    const keys = request.routeOptions.config.bodyKeys;
    const { body: sentBody, params, query } = request;
    const body = problemOf(error, keys, { body: sentBody, params, querystring: query });
    if (body.code === 'internal' || body.code === 'store_unavailable') {
      const where = `${request.method} ${request.routeOptions.url ?? 'unknown route'}`;
      options.emit({ type: 'defect', where, problem: describe(error) });
    }
    sendProblem(reply, body);
  });
  plain.setNotFoundHandler((request, reply) => notFound(routes, request, reply));

  servePublished(plain, options.published);
  describeApi(plain, options.version);
  const door = options.firmwareDoor;
  if (door) {
    const { refusals, emit, now } = options;
    plain.register(async (scope) => firmwareDoor(scope, { ...door, refuse: refusals.refuse, emit, now }));
  }
  const gate = operatorGate(options);
  plain.register(async (scope) => registerRoutes(scope, routes, gate, options.settled), { prefix: API_PREFIX });
  const { oauth } = options;
  if (oauth) plain.register(async (scope) => openOauthDoor(scope, { ...options, oauth, gate }));
  if (options.enrolment) registerEst(plain, { desk: options.enrolment, listener: 'https', now: options.now });
  return app;
}

function registerRoutes(
  scope: FastifyInstance,
  routes: readonly Route[],
  gate: OperatorGate,
  settled: ApiOptions['settled'],
): void {
  const admitted = new WeakMap<FastifyRequest, Admitted>();
  for (const one of routes) {
    const { needs } = one;
    scope.route({
      method: one.method,
      url: one.path,
      schema: schemaOf(one),
      config: { bodyKeys: keysOf(one.body), consumes: one.consumes },
      ...(one.largestBody !== undefined && { bodyLimit: one.largestBody }),
      ...(needs !== 'nobody' && {
        onRequest: async (request: FastifyRequest, reply: FastifyReply) => {
          const operator = await gate.admit(request, reply, needs);
          if (!operator) return reply;
          admitted.set(request, operator);
        },
      }),
      handler: async (request, reply) => {
        if (one.secret || needs !== 'nobody') reply.header('cache-control', 'no-store');
        const answer = await one.run({
          params: request.params,
          query: request.query,
          body: request.body,
          by: admitted.get(request)?.operator ?? 'nobody',
          request,
          reply,
        });
        if (settled && one.method !== 'GET') await settled();
        if (!one.answer) return reply.code(204).send();
        if (reply.statusCode === 200) reply.code(one.answer.status ?? 200);
        if (!reply.hasHeader('content-type')) reply.type(one.answer.type ?? 'application/json');
        return reply.send(answer);
      },
    });
  }
  let document: string | undefined;
  scope.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    document ??= JSON.stringify(scope.swagger());
    return reply.type('application/json').send(document);
  });
}

function notFound(routes: readonly Route[], request: FastifyRequest, reply: FastifyReply): void {
  const path = request.url.split('?', 1)[0] ?? '';
  const allowed = path.startsWith(`${API_PREFIX}/`) ? methodsOf(routes, path.slice(API_PREFIX.length)) : [];
  if (allowed.length === 0) {
    sendProblem(
      reply,
      problem('not_found', 'There is no such route.', { cure: 'See /api/v1/openapi.json for all routes.' }),
    );
    return;
  }
  reply.header('allow', allowed.join(', '));
  sendProblem(
    reply,
    problem('method_not_allowed', `This route does not know ${request.method}; it knows ${allowed.join(', ')}.`),
  );
}

/** RFC 6797 knows no ports: for `localhost` the header would break every other program that a developer runs there. */
async function rememberTls(request: FastifyRequest, reply: FastifyReply): Promise<void> {
  if (request.hostname !== 'localhost') reply.header('strict-transport-security', 'max-age=15552000');
}

function sendProblem(reply: FastifyReply, body: ReturnType<typeof problem>): void {
  reply.code(body.status).type(PROBLEM_TYPE).header('cache-control', 'no-store').send(JSON.stringify(body));
}

function keysOf(schema: z.ZodType | undefined): readonly string[] {
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function describe(error: unknown): string {
  if (error instanceof Failure) return `${error.code}: ${error.message}`;
  return error instanceof Error ? `${error.name}: ${error.message}` : 'something was thrown that is no error';
}
