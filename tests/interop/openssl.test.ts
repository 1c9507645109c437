import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../programs.ts';
import { type TestServer, testServer } from '../server.ts';
import { RunningProgram } from '../walks/sallyport-process.ts';

describeWith(['openssl'], 'openssl s_client', (paths) => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer();
  });
  afterAll(() => server?.close());

  async function handshake(...args: string[]) {
    const port = String(server.port);
    const verify = ['-CAfile', server.rootFile, '-verify_return_error'];
    const program = new RunningProgram(
      paths.openssl ?? 'openssl',
      ['s_client', '-connect', `localhost:${port}`, ...verify, ...args],
      '',
    );
    return { exitCode: await program.exited, out: program.out, err: program.err };
  }

  test.each(['-tls1_2', '-tls1_3'])(
    'verifies the chain to the root, and the name localhost, with %s',
    async (version) => {
      const { exitCode, out } = await handshake(version, '-verify_hostname', 'localhost');
      expect(exitCode).toBe(0);
      expect(out).toContain('Verify return code: 0 (ok)');
    },
  );

  test('is sent the server certificate and the intermediate, and not the root', async () => {
    const { out } = await handshake('-showcerts');
    expect(out.match(/-----BEGIN CERTIFICATE-----/g)).toHaveLength(2);
    expect(server.rootPem.match(/-----BEGIN CERTIFICATE-----/g)).toHaveLength(1);
    expect(out.replaceAll(/\s/g, '')).not.toContain(server.rootPem.split('-----')[2]?.replaceAll(/\s/g, ''));
  });

  test('finds another name wrong', async () => {
    const { exitCode, out, err } = await handshake('-verify_hostname', 'elsewhere.example');
    expect(exitCode).not.toBe(0);
    expect(out + err).toMatch(/hostname mismatch/i);
  });

  test.each(['-tls1', '-tls1_1'])('gets no connection with %s', async (version) => {
    const { exitCode, out } = await handshake(version, '-cipher', 'ALL:@SECLEVEL=0');
    expect(exitCode).not.toBe(0);
    expect(out).toMatch(/no peer certificate available/);
    const [refusal] = (await server.api.refusals({ limit: 1 })).items;
    expect(refusal).toMatchObject({ reason: 'tls_version_too_old', cure: expect.stringContaining('TLS 1.2') });
  });

  test.each(['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384'])('gets no connection with %s', async (cipher) => {
    const { exitCode } = await handshake('-tls1_2', '-cipher', `${cipher}:@SECLEVEL=0`);
    expect(exitCode).not.toBe(0);
    const [refusal] = (await server.api.refusals({ limit: 1 })).items;
    expect(refusal).toMatchObject({ reason: 'no_shared_cipher' });
  });
});
