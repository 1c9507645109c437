import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isProblem, openTestApi, type TestApi } from './test-api.ts';

let api: TestApi;
beforeEach(async () => {
  api = await openTestApi();
});
afterEach(() => api.close());

const DEVICES = '/organisations/demo/types/pump/devices';

async function found(): Promise<void> {
  await api.ask('POST /organisations', { body: { id: 'demo', name: 'Demo' } });
  await api.ask('POST /organisations/demo/types', { body: { id: 'pump' } });
  await api.ask('POST /organisations/demo/types', { body: { id: 'hub', class: 'gateway' } });
}

describe('organisations', () => {
  test('are founded, read, changed, suspended, resumed and removed, each in the name of the operator', async () => {
    const created = await api.ask('POST /organisations', { body: { id: 'demo', name: 'Demo' } });
    expect(created.status).toBe(201);
    expect(created.json).toEqual({
      id: 'demo',
      name: 'Demo',
      security: 'tls-token',
      createdAt: '2026-01-31T12:00:00.000Z',
    });
    const changed = await api.ask('PATCH /organisations/demo', { body: { security: 'tls-certificate' } });
    expect(changed.json.security).toBe('tls-certificate');
    expect((await api.ask('POST /organisations/demo/suspend')).json.suspendedAt).toBe('2026-01-31T12:00:00.000Z');
    expect((await api.ask('POST /organisations/demo/resume')).json).not.toHaveProperty('suspendedAt');
    expect((await api.ask('GET /organisations')).json.items).toHaveLength(1);
    expect((await api.ask('DELETE /organisations/demo')).status).toBe(204);
    expect(isProblem(await api.ask('GET /organisations/demo'), 'not_found')).toBe(true);
    expect(new Set(api.changes.map((change) => change.by))).toEqual(new Set(['operator:administrator']));
  });

  test('a second one with the same id and the removal of one in use are conflicts', async () => {
    await found();
    const again = await api.ask('POST /organisations', { body: { id: 'demo' } });
    expect([again.status, isProblem(again, 'already_exists')]).toEqual([409, true]);
    const removed = await api.ask('DELETE /organisations/demo');
    expect([removed.status, isProblem(removed, 'in_use')]).toEqual([409, true]);
  });
});

describe('device types', () => {
  test('are added, changed and removed; null clears', async () => {
    await found();
    const body = { description: 'Pumps', security: 'tls-certificate', metadata: { bars: 7 } };
    expect((await api.ask('PATCH /organisations/demo/types/pump', { body })).json).toMatchObject(body);
    const cleared = await api.ask('PATCH /organisations/demo/types/pump', { body: { security: null } });
    expect(cleared.json).not.toHaveProperty('security');
    expect(cleared.json.description).toBe('Pumps');
    expect((await api.ask('DELETE /organisations/demo/types/pump')).status).toBe(204);
    expect((await api.ask('GET /organisations/demo/types')).json.items.map((one: { id: string }) => one.id)).toEqual([
      'hub',
    ]);
  });
});

describe('devices', () => {
  beforeEach(found);

  test('get a generated token that is shown once and never again', async () => {
    const created = await api.ask(`POST ${DEVICES}`, { as: 'operator', body: { id: 'pump-7' } });
    expect(created.status).toBe(201);
    expect(created.headers['cache-control']).toBe('no-store');
    expect(created.json.device).toMatchObject({ principal: 'device:demo/pump/pump-7', clientId: 'd:demo:pump:pump-7' });
    const { token } = created.json;
    expect(token).toMatch(/^.{20,36}$/);
    for (const path of ['', '/pump-7', '/pump-7/credentials']) {
      expect((await api.ask(`GET ${DEVICES}${path}`)).text).not.toContain(token);
    }
  });

  test('take a chosen token with an end, and refuse a poor one by naming the field but not the token', async () => {
    const chosen = 'Kx7!pQ2-mmZ9';
    const created = await api.ask(`POST ${DEVICES}`, { body: { id: 'pump-7', token: chosen, expiresIn: '90d' } });
    expect(created.json.token).toBe(chosen);
    expect(created.json.credentials[0].expiresAt).toBe('2026-05-01T12:00:00.000Z');
    const poor = await api.ask(`POST ${DEVICES}`, { body: { id: 'pump-8', token: 'aaaaaaaaaaa' } });
    expect(isProblem(poor, 'invalid_request')).toBe(true);
    expect(poor.text).not.toContain('aaaaaaaaaaa');
  });

  test('with a user name and password only have no token', async () => {
    const body = { id: 'pump-7', password: { username: 'pump-seven', password: 'correct horse' } };
    const created = await api.ask(`POST ${DEVICES}`, { body });
    expect(created.json).not.toHaveProperty('token');
    expect(created.json.credentials).toMatchObject([{ kind: 'password', username: 'pump-seven' }]);
    expect(created.text).not.toContain('correct horse');
  });

  test('are not there when their user name was taken', async () => {
    const password = { username: 'seven', password: 'correct horse' };
    await api.ask(`POST ${DEVICES}`, { body: { id: 'pump-7', password } });
    const second = await api.ask(`POST ${DEVICES}`, { body: { id: 'pump-8', token: 'Kx7!pQ2-mmZ9', password } });
    expect(second.status).toBe(409);
    expect((await api.ask(`GET ${DEVICES}/pump-8`)).status).toBe(404);
  });

  test('are changed, suspended, resumed and removed', async () => {
    await api.ask(`POST ${DEVICES}`, { body: { id: 'pump-7', withoutToken: true } });
    const changed = await api.ask(`PATCH ${DEVICES}/pump-7`, { body: { description: 'By the well' } });
    expect(changed.json.description).toBe('By the well');
    expect((await api.ask(`POST ${DEVICES}/pump-7/suspend`)).json).toHaveProperty('suspendedAt');
    expect((await api.ask(`POST ${DEVICES}/pump-7/resume`)).json).not.toHaveProperty('suspendedAt');
    expect((await api.ask(`DELETE ${DEVICES}/pump-7`)).status).toBe(204);
    expect(isProblem(await api.ask(`DELETE ${DEVICES}/pump-7`), 'not_found')).toBe(true);
  });

  test('and gateways of all types are listed apart', async () => {
    await api.ask(`POST ${DEVICES}`, { body: { id: 'pump-7' } });
    const gateway = { id: 'hub-1', gatewayRole: 'standard' };
    const created = await api.ask('POST /organisations/demo/types/hub/devices', { body: gateway });
    expect(created.json.device).toMatchObject({ principal: 'gateway:demo/hub/hub-1', gatewayRole: 'standard' });
    const ids = async (path: string) => (await api.ask(`GET ${path}`)).json.items.map((one: { id: string }) => one.id);
    expect(await ids('/organisations/demo/devices')).toEqual(['pump-7']);
    expect(await ids('/organisations/demo/gateways')).toEqual(['hub-1']);
  });

  test('are listed in pages that join without a gap or a repetition', async () => {
    for (let n = 0; n < 7; n++) await api.ask(`POST ${DEVICES}`, { body: { id: `pump-${n}`, withoutToken: true } });
    const seen: string[] = [];
    let after: string | undefined;
    do {
      const page = await api.ask(
        `GET ${DEVICES}?limit=3${after === undefined ? '' : `&after=${encodeURIComponent(after)}`}`,
      );
      expect(page.json.items.length).toBeLessThanOrEqual(3);
      seen.push(...page.json.items.map((one: { id: string }) => one.id));
      after = page.json.next;
    } while (after !== undefined);
    expect(seen).toEqual(['pump-0', 'pump-1', 'pump-2', 'pump-3', 'pump-4', 'pump-5', 'pump-6']);
  });
});

describe('applications', () => {
  beforeEach(found);

  test('get a key and a token, and take chosen ones', async () => {
    const created = await api.ask('POST /organisations/demo/applications', { body: { id: 'desk' } });
    expect(created.status).toBe(201);
    expect(created.json.application.key).toMatch(/^a-demo-[a-z0-9]{10}$/);
    expect(created.json.token.length).toBeGreaterThan(19);
    const path = '/organisations/demo/applications/desk';
    expect((await api.ask(`PATCH ${path}`, { body: { role: 'visualization' } })).json.role).toBe('visualization');
    expect((await api.ask(`POST ${path}/suspend`)).json).toHaveProperty('suspendedAt');
    expect((await api.ask(`POST ${path}/resume`)).json).not.toHaveProperty('suspendedAt');
    expect((await api.ask('GET /organisations/demo/applications')).json.items).toHaveLength(1);
    expect((await api.ask(`DELETE ${path}`)).status).toBe(204);
  });
});

describe('credentials', () => {
  beforeEach(found);

  test('are issued beside the old ones and revoked one by one', async () => {
    await api.ask(`POST ${DEVICES}`, { body: { id: 'pump-7' } });
    const path = `${DEVICES}/pump-7/credentials`;
    const issued = await api.ask(`POST ${path}`, { as: 'operator', body: { expiresIn: '12h' } });
    expect(issued.status).toBe(201);
    expect(issued.headers['cache-control']).toBe('no-store');
    expect(issued.json.credential).toMatchObject({
      createdBy: 'operator:operator',
      expiresAt: '2026-02-01T00:00:00.000Z',
    });
    const revoked = await api.ask(`DELETE ${path}/${issued.json.credential.id}`);
    expect(revoked.json).toMatchObject({ revokedAt: '2026-01-31T12:00:00.000Z', revokedBy: 'operator:administrator' });
    expect((await api.ask(`GET ${path}`)).json.items).toHaveLength(2);
  });

  test('of another principal cannot be revoked through a path that one may use', async () => {
    await api.ask(`POST ${DEVICES}`, { body: { id: 'pump-7' } });
    const [mine] = (await api.ask('GET /operators/administrator/credentials')).json.items;
    const attempt = await api.ask(`DELETE ${DEVICES}/pump-7/credentials/${mine.id}`, { as: 'operator' });
    expect([attempt.status, isProblem(attempt, 'not_found')]).toEqual([404, true]);
    expect((await api.ask('GET /whoami')).json.id).toBe('administrator');
  });

  test('a token and a password at once are refused', async () => {
    await api.ask(`POST ${DEVICES}`, { body: { id: 'pump-7' } });
    const body = { token: 'Kx7!pQ2-mmZ9', password: { username: 'seven', password: 'correct horse' } };
    expect(isProblem(await api.ask(`POST ${DEVICES}/pump-7/credentials`, { body }), 'invalid_request')).toBe(true);
  });

  test('a password is never in an answer', async () => {
    await api.ask('POST /organisations/demo/applications', { body: { id: 'desk' } });
    const body = { password: { username: 'desk-user', password: 'correct horse' } };
    const issued = await api.ask('POST /organisations/demo/applications/desk/credentials', { body });
    expect(issued.json.credential).toMatchObject({ kind: 'password', username: 'desk-user' });
    expect(issued.text).not.toContain('correct horse');
  });
});

describe('operators', () => {
  test('are added with a token that works at once, change roles and lose everything when they are removed', async () => {
    const created = await api.ask('POST /operators', { body: { id: 'ann', role: 'reader' } });
    expect(created.status).toBe(201);
    const headers = { authorization: `Bearer ${created.json.token}` };
    expect((await api.ask('GET /whoami', { as: 'nobody', headers })).json).toMatchObject({ id: 'ann', role: 'reader' });
    expect((await api.ask('PATCH /operators/ann', { body: { role: 'operator' } })).json.role).toBe('operator');
    expect((await api.ask('POST /operators/ann/suspend')).status).toBe(200);
    expect((await api.ask('GET /whoami', { as: 'nobody', headers })).status).toBe(401);
    await api.ask('POST /operators/ann/resume');
    expect((await api.ask('DELETE /operators/ann')).status).toBe(204);
    expect((await api.ask('GET /whoami', { as: 'nobody', headers })).status).toBe(401);
  });

  test('the last administrator cannot be removed', async () => {
    const removed = await api.ask('DELETE /operators/administrator');
    expect([removed.status, isProblem(removed, 'in_use')]).toEqual([409, true]);
  });
});

describe('policies', () => {
  const text = [
    'statements:',
    '  - id: laboratory',
    '    effect: permit',
    '    principals: ["device:demo/pump/*"]',
    '    actions: [publish]',
    '    resources: ["lab/#"]',
    '',
  ].join('\n');
  beforeEach(found);

  test('begin empty, are saved as JSON or YAML, and every version is kept', async () => {
    expect((await api.ask('GET /organisations/demo/policy')).json).toMatchObject({ version: 0, text: '' });
    const saved = await api.ask('PUT /organisations/demo/policy', { body: { text } });
    expect(saved.json).toMatchObject({ version: 1, text, savedBy: 'operator:administrator' });
    const headers = { 'content-type': 'text/yaml' };
    const again = await api.ask('PUT /organisations/demo/policy', { body: text.replace('lab/', 'other/'), headers });
    expect(again.json.version).toBe(2);
    const versions = (await api.ask('GET /organisations/demo/policy/versions')).json.items;
    expect(versions.map((one: { version: number }) => one.version)).toEqual([2, 1]);
    expect((await api.ask('GET /organisations/demo/policy/versions/1')).json.text).toBe(text);
  });

  test('of two editors the second is told that the first has saved', async () => {
    const read = await api.ask('GET /organisations/demo/policy');
    const headers = { 'if-match': read.headers.etag ?? '' };
    const both = await Promise.all([
      api.ask('PUT /organisations/demo/policy', { body: { text }, headers }),
      api.ask('PUT /organisations/demo/policy', { body: { text }, headers }),
    ]);
    expect(both.map((one) => one.status).sort((a, b) => a - b)).toEqual([200, 412]);
    const late = both.find((one) => one.status === 412);
    expect(late && isProblem(late, 'changed_meanwhile')).toBe(true);
  });

  test('that are wrong are refused with line and column, and the one in force stays', async () => {
    await api.ask('PUT /organisations/demo/policy', { body: { text } });
    const wrong = text.replace('permit', 'permt');
    const check = await api.ask('POST /organisations/demo/policy/check', { as: 'reader', body: { text: wrong } });
    expect(check.json).toMatchObject({ ok: false, problems: [{ line: 3 }] });
    const refused = await api.ask('PUT /organisations/demo/policy', { body: { text: wrong } });
    expect([refused.status, isProblem(refused, 'policy_invalid')]).toEqual([400, true]);
    expect(refused.json.errors).toMatchObject([{ line: 3 }]);
    expect((await api.ask('GET /organisations/demo/policy')).json.text).toBe(text);
  });

  test('the built-in one is readable', async () => {
    const builtin = await api.ask('GET /policy/builtin', { as: 'reader' });
    expect(builtin.headers['content-type']).toContain('text/yaml');
    expect(builtin.text).toContain('statements:');
  });
});

describe('explanations', () => {
  test('a refused request is explained under its ticket', async () => {
    const refused = await api.ask('GET /organisations', { as: 'nobody' });
    expect(refused.json.instance).toBe(`/api/v1/explain/${refused.json.ticket}`);
    const explained = await api.ask(`GET ${refused.json.instance}`);
    expect(explained.json).toMatchObject({ reason: 'missing_credential', resource: 'GET /api/v1/organisations' });
    expect(isProblem(await api.ask('GET /explain/ZZZZZZ'), 'not_found')).toBe(true);
    expect((await api.ask('GET /refusals?limit=1')).json.items).toHaveLength(1);
  });

  test('a question goes to the decision as it was asked', async () => {
    const question = {
      as: 'device:demo/pump/pump-7',
      action: 'publish',
      resource: 'iot-2/evt/a/fmt/json',
      transport: 'tls',
    };
    expect((await api.ask('POST /explain', { as: 'reader', body: question })).json).toMatchObject({
      question,
      effect: 'deny',
    });
  });

  test('the audit trail is filtered by what was given', async () => {
    const answer = await api.ask(
      'GET /audit?type=device.*&organisation=demo&since=2026-01-01T00:00:00Z&limit=5&order=oldest',
    );
    expect(answer.json).toEqual({
      items: [{ sequence: 7, at: '2026-01-31T12:00:00.000Z', type: 'device.created', by: 'operator:ann' }],
      next: '7',
    });
    expect(api.queries).toEqual([
      { type: 'device.*', organisation: 'demo', since: Date.UTC(2026, 0, 1), limit: 5, order: 'oldest' },
    ]);
  });
});

describe('sessions', () => {
  test('are listed and closed by client id', async () => {
    await found();
    api.sessions.push({
      organisation: 'demo',
      clientId: 'd:demo:pump:pump-7',
      principal: 'device:demo/pump/pump-7',
      connected: true,
    });
    expect((await api.ask('GET /organisations/demo/sessions')).json.items).toHaveLength(1);
    const path = `/organisations/demo/sessions/${encodeURIComponent('d:demo:pump:pump-7')}`;
    expect((await api.ask(`DELETE ${path}`, { as: 'operator' })).status).toBe(204);
    expect(isProblem(await api.ask(`DELETE ${path}`), 'not_found')).toBe(true);
    expect(isProblem(await api.ask('GET /organisations/other/sessions'), 'not_found')).toBe(true);
  });
});

describe('health and metrics', () => {
  test('health needs no credential and says 503 when a part fails', async () => {
    expect((await api.ask('GET /health', { as: 'nobody' })).json).toEqual({ status: 'ok', parts: { registry: 'ok' } });
    const failing = await openTestApi({ health: () => ({ status: 'failing', parts: { registry: 'failing' } }) });
    const answer = await failing.ask('GET /health', { as: 'nobody' });
    await failing.close();
    expect([answer.status, answer.json.status]).toEqual([503, 'failing']);
  });

  test('metrics are text for Prometheus', async () => {
    const metrics = await api.ask('GET /metrics', { as: 'reader' });
    expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(metrics.text).toContain('sallyport_sessions 0');
  });
});
