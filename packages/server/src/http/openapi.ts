import { STATUS_CODES } from 'node:http';
import swagger, { type SwaggerTransformObject } from '@fastify/swagger';
import type { FastifyInstance, FastifySchema } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { problemAnswer } from './answers.ts';
import { PROBLEM_TYPE } from './problem.ts';
import type { Needs, Route } from './route.ts';

const TAGS: Readonly<Record<string, string>> = {
  system: 'How the server is.',
  organisations: 'Tenants: each a namespace of its own.',
  types: 'Device types carry what is the same for all devices of a kind.',
  devices: 'Devices and gateways.',
  applications: 'Software that reads events and sends commands.',
  certificates: 'Client certificates, and the authorities that may issue them.',
  firmware: 'Images that devices may run, the roles that sign them, and rollouts.',
  'authorization server':
    'The embedded authorization server: its keys, its clients, and devices that wait for their owner.',
  identities: 'Keys of applications and devices for signed commands and sealed payloads.',
  issuers: 'Authorization servers, and what is made of their access tokens.',
  operators: 'People who run the platform.',
  policies: 'Statements that say who may do what.',
  lists: 'Black and white lists of addresses and countries.',
  incidents: 'Suspicions, and what is done about them.',
  explanations: 'Why something was refused, and what would happen.',
  sessions: 'Who is connected.',
  unlocks: 'One-time codes: who waits for one, and authenticator apps.',
};

/** Collects the OpenAPI 3.1 document from the schemas of the routes that are registered after this. */
export function describeApi(app: FastifyInstance, version: string): void {
  app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Sallyport',
        version,
        description:
          'Administers a Sallyport server. Every error is `application/problem+json` with a `code`, what happened (`detail`) and what to do next (`cure`); a refusal also names the `ticket` under which it is explained.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'This server.' }],
      tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
      components: {
        securitySchemes: {
          operator: { type: 'http', scheme: 'bearer', description: 'Token of an operator.' },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: (document) =>
      tidied(jsonSchemaTransformObject(document) as Document) as ReturnType<SwaggerTransformObject>,
  });
}

interface Document {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: { readonly schemas?: Record<string, unknown> };
}

interface Operation {
  readonly requestBody?: { readonly content: Record<string, { schema: unknown }> };
}

/** Drops what the generator writes too much: schemas that nothing refers to, and the JSON form of bodies that are texts. */
function tidied(document: Document): Document {
  const operations = Object.values(document.paths ?? {}).flatMap((path) => Object.values(path));
  for (const { requestBody } of operations) {
    for (const [type, body] of Object.entries(requestBody?.content ?? {})) {
      if (type !== 'application/json') body.schema = { type: 'string' };
    }
  }
  dropUnused(document, document.components?.schemas ?? {});
  return document;
}

function dropUnused(document: Document, schemas: Record<string, unknown>): void {
  const text = JSON.stringify(document);
  const unused = Object.keys(schemas).filter((name) => !text.includes(`"#/components/schemas/${name}"`));
  for (const name of unused) delete schemas[name];
  // What only an unused one referred to is unused now.
  if (unused.length > 0) dropUnused(document, schemas);
}

/** The schema of a route with its place in the document: who may use it, and every problem that it may answer. */
export function schemaOf(route: Route): FastifySchema {
  const statuses = new Set<number>([400, 500, ...(route.problems ?? [])]);
  if (route.needs !== 'nobody') for (const status of [401, 403, 429, 503]) statuses.add(status);
  if (route.params) statuses.add(404);
  if (route.body) for (const status of [413, 415]) statuses.add(status);

  const response: Record<number, unknown> = {};
  const success = route.answer?.status ?? 200;
  response[route.answer ? success : 204] = route.answer
    ? {
        description: STATUS_CODES[success],
        content: { [route.answer.type ?? 'application/json']: { schema: route.answer.schema } },
      }
    : z.undefined().describe('Done.');
  if (route.answer?.otherwise) response[route.answer.otherwise] = response[success];
  for (const status of [...statuses].sort((a, b) => a - b)) {
    response[status] ??= { description: STATUS_CODES[status], content: { [PROBLEM_TYPE]: { schema: problemAnswer } } };
  }
  return {
    operationId: route.name,
    tags: [route.tag],
    summary: route.summary,
    description: [route.description, needed(route.needs)].filter(Boolean).join(' '),
    security: route.needs === 'nobody' ? [] : [{ operator: [] }],
    ...(route.params && { params: route.params }),
    ...(route.query && { querystring: route.query }),
    ...(route.body && { body: route.body }),
    ...(route.consumes && { consumes: ['application/json', ...route.consumes] }),
    response,
  } as FastifySchema;
}

function needed(needs: Needs): string {
  return needs === 'nobody'
    ? 'Needs no credential.'
    : `Needs the role ${needs}${needs === 'administrator' ? '' : ' or more'}.`;
}
