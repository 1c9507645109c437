import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issuedPair, knock, ownAuthority, reasonOf } from '../certificate-clients.ts';
import { type TestServer, testServer } from '../server.ts';
import { RunningProgram, SALLYPORT } from './sallyport-process.ts';

const organisation = 'demo';
const level = 'tls-certificate' as const;

describe('the forecast of a connection-security level', () => {
  let server: TestServer;
  let pair: Awaited<ReturnType<typeof issuedPair>>;
  beforeAll(async () => {
    server = await testServer();
    await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate-or-token' });
    pair = await issuedPair(server, 'device:demo/pump/pump-7');
  });
  afterAll(() => server.close());

  it('says who would comply and which sessions would end, and saving the level does just that', async () => {
    const token = server.tokens['pump-8'] ?? '';
    const certified = await knock(server, { clientId: 'd:demo:pump:pump-7', ...pair });
    const tokened = await knock(server, { clientId: 'd:demo:pump:pump-8', token });
    const forecast = await server.api.predictSecurity(organisation, { type: 'pump', level });
    expect(forecast.principals).toMatchObject({ complies: 1, fails: 1, unknown: 0 });
    expect(forecast.principals.rows).toEqual([
      { principal: 'device:demo/pump/pump-8', outcome: 'fails', why: 'It has no certificate in force on record.' },
    ]);
    expect(forecast.sessions).toMatchObject({ complies: 1, fails: 1, unknown: 0 });
    expect(forecast.sessions.rows[0]).toMatchObject({ clientId: 'd:demo:pump:pump-8', outcome: 'fails' });

    await server.api.types.update({ organisation, id: 'pump' }, { security: level });
    await tokened.gone;
    expect(certified.client.connected).toBe(true);
    expect(await reasonOf(server, { clientId: 'd:demo:pump:pump-8', token })).toBe('certificate_required');
    await Promise.all([certified.client.endAsync(true), tokened.client.endAsync(true)]);
    await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate-or-token' });
  });

  it('looks only at those whom the default of the organisation concerns, applications among them', async () => {
    const { principals } = await server.api.predictSecurity(organisation, { level: 'tls-certificate-and-token' });
    expect(principals.rows.map(({ principal }) => principal).sort()).toEqual([
      'application:demo/desk',
      'application:demo/lab',
      'application:demo/tap',
      'gateway:demo/hub/hub-1',
    ]);
  });

  it('does not know what an authority of the organisation may have issued', async () => {
    await server.api.authorities.add(organisation, (await ownAuthority()).pem);
    const { principals } = await server.api.predictSecurity(organisation, { type: 'pump', level });
    expect(principals).toMatchObject({ complies: 1, fails: 0, unknown: 1 });
  });

  it('is asked by the command line, which ends with 1 if somebody would fail', async () => {
    const run = async (wanted: string) => {
      const args = ['security', 'predict', '--type', 'pump', '--level', wanted, '--data-dir', server.directory];
      const program = new RunningProgram(process.execPath, [SALLYPORT, ...args, '--org', 'other']);
      return { exitCode: await program.exited, out: program.out, err: program.err };
    };
    const good = await run('tls-token');
    expect(good).toMatchObject({ exitCode: 0, out: expect.stringContaining('1 comply, 0 fail, 0 unknown') });
    const bad = await run('tls-certificate-and-token');
    expect(bad).toMatchObject({ exitCode: 1, out: expect.stringContaining('0 comply, 1 fail, 0 unknown') });
    expect(bad.out).toContain('device:other/pump/pump-7');
    await expect(server.api.predictSecurity(organisation, { type: 'nothing', level })).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});
