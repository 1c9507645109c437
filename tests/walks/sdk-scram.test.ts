import { connectApplication } from '@sallyport/application';
import { connectDevice, connectGateway } from '@sallyport/device';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { breakablePipe } from '../breakable-pipe.ts';
import { type TestServer, testServer } from '../server.ts';

const PASSWORD = 'correct horse battery';
const METHODS = ['SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
  const scram = (username: string) => ({ password: { username, password: PASSWORD, scram: true } });
  const { credentials } = server.api.devices;
  await credentials.issue({ organisation: 'demo', type: 'pump', id: 'pump-7' }, scram('paula'));
  await server.api.applications.credentials.issue({ organisation: 'demo', id: 'desk' }, scram('anna'));
});
afterAll(() => server.close());

const place = () => ({ host: 'localhost', port: server.port, ca: server.rootFile, organisation: 'demo' });
const pump = { type: 'pump', id: 'pump-7' };

describe.each(METHODS)('%s', (scram) => {
  it('connects a device and an application, and again after a break', async () => {
    const pipe = await breakablePipe(server.port);
    const login = { username: 'paula', password: PASSWORD, scram, port: pipe.port };
    const device = await connectDevice({ ...place(), ...pump, ...login });
    const desk = await connectApplication({ ...place(), id: 'desk', username: 'anna', password: PASSWORD, scram });
    const heard: unknown[] = [];
    await device.onCommand('blink', ({ payload }) => heard.push(payload));
    const online = new Promise((resolve) => device.on('online', resolve));
    pipe.cut();
    await online;
    while (heard.length === 0) await desk.sendCommand(pump, 'blink', { times: 2 });
    expect(heard[0]).toEqual({ times: 2 });
    await desk.close();
    await device.close();
    await pipe.close();
  });

  it('is refused with a wrong password, under a ticket', async () => {
    const wrong = connectDevice({ ...place(), ...pump, username: 'paula', password: 'guess', scram });
    await expect(wrong).rejects.toMatchObject({ code: 'connection_refused', ticket: expect.any(String) });
  });

  it('goes over WebSocket as well', async () => {
    const web = { ...place(), port: server.httpPort, websocket: true };
    const device = await connectDevice({ ...web, ...pump, username: 'paula', password: PASSWORD, scram });
    await device.publishEvent('status', 1);
    await device.close();
  });
});

it('needs MQTT 5, and says so', async () => {
  const old = { ...place(), ...pump, username: 'x', password: 'y', scram: METHODS[0], protocolVersion: 4 as const };
  await expect(connectDevice(old)).rejects.toMatchObject({ code: 'invalid_request' });
  await expect(connectGateway(old)).rejects.toMatchObject({ code: 'invalid_request' });
});
