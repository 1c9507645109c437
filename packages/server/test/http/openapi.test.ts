import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { apiRoutes } from '../../src/http/api-routes.ts';
import { openTestApi, type TestApi } from './test-api.ts';

const ROUTES = apiRoutes(
  {
    registry: {},
    policy: {},
    refusals: {},
    sessions: {},
    trail: {},
    addressLists: {},
    guesses: {},
    incidents: {},
  } as never,
  () => 0,
);

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly security: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly description?: string }[];
  readonly requestBody?: { readonly content: Record<string, unknown> };
  readonly responses: Record<string, { readonly content?: Record<string, unknown> }>;
}

let api: TestApi;
let text: string;
let document: {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, unknown>; readonly securitySchemes: Record<string, object> };
};
beforeAll(async () => {
  api = await openTestApi();
  const answer = await api.ask('GET /openapi.json', { as: 'nobody' });
  text = answer.text;
  document = answer.json;
});
afterAll(() => api.close());

test('is an OpenAPI 3.1 document with the bearer token as its only security scheme', () => {
  expect(document.openapi).toMatch(/^3\.1\.\d$/);
  expect(document.info).toMatchObject({ title: 'Sallyport', version: '0.1.0' });
  expect(document.components.securitySchemes).toEqual({
    operator: { type: 'http', scheme: 'bearer', description: expect.any(String) },
  });
});

test('describes every route once and nothing else', () => {
  const described = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const wanted = ROUTES.map((one) => `${one.method} /api/v1${one.path.replace(/:([a-zA-Z]+)/g, '{$1}')}`);
  expect(described.sort()).toEqual(wanted.sort());
  const ids = Object.values(document.paths).flatMap((path) => Object.values(path).map((one) => one.operationId));
  expect(new Set(ids).size).toBe(ROUTES.length);
});

test('every reference leads to a schema, and every schema is referred to', () => {
  const references = new Set([...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((one) => one[1]));
  expect([...references].map(String).sort()).toEqual(Object.keys(document.components.schemas).sort());
  expect(text).not.toContain('__SCHEMA');
});

describe.each(ROUTES.map((route) => [route.name, route] as const))('%s', (_, route) => {
  const operation = () =>
    document.paths[`/api/v1${route.path.replace(/:([a-zA-Z]+)/g, '{$1}')}`]?.[route.method.toLowerCase()];

  test('says what it is for, who may use it, and what its parameters mean', () => {
    const found = operation();
    expect(found?.summary.length).toBeGreaterThan(5);
    expect(found?.description).toContain(route.needs === 'nobody' ? 'no credential' : route.needs);
    expect(found?.security).toEqual(route.needs === 'nobody' ? [] : [{ operator: [] }]);
    expect(document.tags.map((tag) => tag.name)).toContain(found?.tags[0]);
    for (const parameter of found?.parameters ?? []) {
      expect(parameter.description ?? '', `${parameter.in} ${parameter.name}`).not.toBe('');
    }
    const inPath = [...route.path.matchAll(/:([a-zA-Z]+)/g)].map((one) => one[1]);
    expect((found?.parameters ?? []).filter((one) => one.in === 'path').map((one) => one.name)).toEqual(inPath);
  });

  test('lists its problems as problem+json', () => {
    const responses = Object.entries(operation()?.responses ?? {});
    expect(responses.some(([status]) => status.startsWith('2'))).toBe(true);
    const failures = responses.filter(
      ([status]) => Number(status) >= 400 && !(route.name === 'health' && status === '503'),
    );
    expect(failures.length).toBeGreaterThan(1);
    for (const [, response] of failures)
      expect(Object.keys(response.content ?? {})).toEqual(['application/problem+json']);
  });
});
