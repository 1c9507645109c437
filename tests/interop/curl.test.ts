import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { RunningProgram } from '../walks/sallyport-process.ts';

describeWith(['curl'], 'curl', (paths) => {
  let server: TestServer;
  let tokenHeader: string;

  beforeAll(async () => {
    server = await testServer();
    // In a file: arguments are there for every user of the machine to read.
    tokenHeader = join(server.directory, 'curl-header');
    writeFileSync(tokenHeader, `Authorization: Bearer ${server.operatorToken}`, { mode: 0o600 });
  });
  afterAll(() => server?.close());

  async function curl(path: string, ...args: string[]) {
    const url = `https://localhost:${server.httpPort}${path}`;
    const format = '\n%{http_code} %{content_type}';
    const program = new RunningProgram(paths.curl ?? 'curl', [
      '-sS',
      '--cacert',
      server.rootFile,
      '-w',
      format,
      ...args,
      url,
    ]);
    const exitCode = await program.exited;
    const cut = program.out.lastIndexOf('\n');
    const [status, type] = program.out.slice(cut + 1).split(/;? /);
    const body = program.out.slice(0, cut);
    return { exitCode, status: Number(status), type, body: body === '' ? undefined : JSON.parse(body) };
  }
  const asOperator = (path: string, ...args: string[]) => curl(path, '-H', `@${tokenHeader}`, ...args);
  const json = (body: unknown) => ['-H', 'content-type: application/json', '-d', JSON.stringify(body)];

  test('reads the health without a credential, and nothing else', async () => {
    expect(await curl('/api/v1/health')).toMatchObject({ exitCode: 0, status: 200 });
    expect(await curl('/api/v1/organisations')).toMatchObject({
      status: 401,
      type: 'application/problem+json',
      body: { status: 401, cure: expect.any(String) },
    });
  });

  test('registers a device, gives it a token, and is told why a stranger was refused', async () => {
    const devices = '/api/v1/organisations/demo/types/pump/devices';
    const created = await asOperator(devices, ...json({ id: 'pump-20' }));
    expect(created).toMatchObject({
      status: 201,
      body: { device: { id: 'pump-20', clientId: 'd:demo:pump:pump-20' }, token: expect.any(String) },
    });
    const issued = await asOperator(`${devices}/pump-20/credentials`, ...json({ expiresIn: '1h' }));
    expect(issued).toMatchObject({ status: 201, body: { token: expect.any(String) } });
    expect(issued.body.token).not.toBe(created.body.token);

    const question = {
      as: 'device:demo/pump/pump-20',
      action: 'publish',
      resource: 'iot-2/type/pump/id/pump-7/evt/status/fmt/json',
    };
    expect(await asOperator('/api/v1/explain', ...json(question))).toMatchObject({
      status: 200,
      body: { effect: 'deny', cure: expect.stringContaining('iot-2/evt/+/fmt/+') },
    });
    expect(await asOperator(`${devices}/pump-20`, '-X', 'DELETE')).toMatchObject({ status: 204, body: undefined });
    expect(await asOperator(`${devices}/pump-20`)).toMatchObject({ status: 404 });
  });

  test('says what is wrong with a request that it cannot understand', async () => {
    const path = '/api/v1/organisations/demo/types/pump/devices';
    expect(await asOperator(path, '-H', 'content-type: application/json', '-d', '{"id":')).toMatchObject({
      status: 400,
    });
    expect(await asOperator(path, ...json({ id: 'with space' }))).toMatchObject({
      status: 400,
      type: 'application/problem+json',
    });
  });

  test('trusts the server by its root only', async () => {
    const url = `https://localhost:${server.httpPort}/api/v1/health`;
    const program = new RunningProgram(paths.curl ?? 'curl', ['-sS', url]);
    expect(await program.exited).toBe(60);
  });
});
