import type { OperatorRole } from '@sallyport/model';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Keys that the body of the route may have. */
    readonly bodyKeys?: readonly string[];
    /** Content types besides JSON that the route takes. */
    readonly consumes?: readonly string[] | undefined;
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Who may use a route. Each role may also do what the ones before it may. */
export type Needs = 'nobody' | OperatorRole;

/** One request that has passed the gate and its schema. */
interface Call<P, Q, B> {
  readonly params: P;
  readonly query: Q;
  readonly body: B;
  /** Written form of the operator, for `by` of the registry; `nobody` on open routes. */
  readonly by: string;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

export interface RouteDefinition<P, Q, B, A> {
  readonly method: Method;
  /** Below `/api/v1`. */
  readonly path: string;
  /** Name in the OpenAPI document and of the client's method. */
  readonly name: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly needs: Needs;
  readonly params?: z.ZodType<P>;
  readonly query?: z.ZodType<Q>;
  readonly body?: z.ZodType<B>;
  /** Content types of the body besides JSON. */
  readonly consumes?: readonly string[];
  /** Bytes of the body; 1 MiB if left out. */
  readonly largestBody?: number;
  readonly answer?: {
    readonly status?: 200 | 201;
    readonly schema: z.ZodType<A>;
    readonly type?: string;
    /** Another status under which `run` may send the same answer, by setting it on the reply. */
    readonly otherwise?: 503;
  };
  /** Statuses of the problems that this route has besides those of every route. */
  readonly problems?: readonly (404 | 409 | 412 | 413 | 415)[];
  /** The answer holds a secret that is shown once: no cache may keep it. */
  readonly secret?: boolean;
  run(call: Call<P, Q, B>): A | Promise<A>;
}

/** A route whose types were checked where it was written. */
export type Route = RouteDefinition<unknown, unknown, unknown, unknown>;

/** Declares a route: its schema types what the handler receives and what it must answer. */
export function route<P = unknown, Q = unknown, B = unknown, A = void>(definition: RouteDefinition<P, Q, B, A>): Route {
  return definition as unknown as Route;
}

/** A strict object: a key that nobody reads is an error, because it is a misspelled one. */
export function fields<S extends z.core.$ZodLooseShape>(shape: S) {
  return z.strictObject(shape);
}
