import type { Server } from 'node:https';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import type { ServerEvent } from '../events/events.ts';
import { type EstOptions, registerEst } from './est.ts';
import { type FirmwareDoorOptions, firmwareDoor } from './firmware-door.ts';
import { answerMalformedHttp } from './malformed-http.ts';
import { type OauthEndpointOptions, openOauthEndpoints } from './oauth-endpoints.ts';
import { PROBLEM_TYPE, problem, problemOf } from './problem.ts';

/**
 * A door of its own for enrolment (decision 0050): it asks clients for a certificate, which the door of the API must not, and it can be
 * opened to a network of devices that has no business with the API. It does not listen: whoever calls it does.
 */
export function buildEnrolmentDoor(
  options: EstOptions & {
    readonly tls: SecureContextOptions & Pick<TlsOptions, 'SNICallback'>;
    readonly emit: (event: ServerEvent) => void;
    /** Firmware too, for devices that prove themselves by certificate. */
    readonly firmware: FirmwareDoorOptions;
    /** Access tokens too, for clients that prove themselves by certificate (RFC 8705 section 5). */
    readonly oauth?: OauthEndpointOptions | undefined;
  },
): FastifyInstance<Server> {
  const app = Fastify<Server>({
    https: {
      ...options.tls,
      handshakeTimeout: 10_000,
      requestCert: true,
      // The verdict is that of the doors, with a reason; a rejection here would be a reset without a word.
      rejectUnauthorized: false,
    },
    logger: false,
    requestTimeout: 30_000,
    keepAliveTimeout: 10_000,
    forceCloseConnections: 'idle',
    return503OnClosing: true,
    clientErrorHandler: answerMalformedHttp,
  });
  const plain = app as unknown as FastifyInstance;
  plain.setErrorHandler((error: FastifyError, request, reply) => {
    const body = problemOf(error);
    if (body.code === 'internal' || body.code === 'store_unavailable') {
      options.emit({ type: 'defect', where: `${request.method} ${request.routeOptions.url}`, problem: String(error) });
    }
    reply.code(body.status).type(PROBLEM_TYPE).send(JSON.stringify(body));
  });
  plain.setNotFoundHandler((_request, reply) => {
    const body = problem(
      'not_found',
      'There is no such route; this listener knows enrolment (EST), firmware and access tokens only.',
    );
    reply.code(body.status).type(PROBLEM_TYPE).send(JSON.stringify(body));
  });
  registerEst(plain, options);
  firmwareDoor(plain, options.firmware);
  const { oauth } = options;
  if (oauth) plain.register(async (scope) => openOauthEndpoints(scope, oauth));
  return app;
}
