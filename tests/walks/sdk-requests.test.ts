import { connectApplication } from '@sallyport/application';
import { connectDevice, connectGateway } from '@sallyport/device';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
const opened: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  server = await testServer();
});
afterEach(async () => {
  for (const each of opened.splice(0)) await each.close();
  await server.close();
});

const PUMP = { type: 'pump', id: 'pump-7' };
const place = () => ({ host: server.host, port: server.port, ca: server.rootFile, organisation: 'demo' });
async function pump() {
  const made = await connectDevice({ ...place(), ...PUMP, token: server.tokens['pump-7'] ?? '' });
  opened.push(made);
  return made;
}
async function desk(id = 'desk') {
  const made = await connectApplication({ ...place(), id, key: server.keys[id] ?? '', token: server.tokens[id] ?? '' });
  opened.push(made);
  return made;
}

describe('a request to a device', () => {
  it('gets what its handler answers, each request its own', async () => {
    const device = await pump();
    await device.onCommand<{ n: number }>('double', async ({ payload }) => ({ twice: payload.n * 2 }));
    const application = await desk();
    const answers = await Promise.all([1, 2, 3].map((n) => application.request(PUMP, 'double', { n })));
    expect(answers).toEqual([{ twice: 2 }, { twice: 4 }, { twice: 6 }]);
  });

  it('fails in time when nobody answers, and at once when it is aborted', async () => {
    const device = await pump();
    await device.onCommand('mute', () => undefined);
    const application = await desk();
    await expect(application.request(PUMP, 'mute', {}, { timeout: 50 })).rejects.toMatchObject({
      code: 'request_timeout',
    });
    const stop = new AbortController();
    const asked = application.request(PUMP, 'mute', {}, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });

  it('is refused as any command is, for an application that may send none', async () => {
    await server.api.applications.update({ organisation: 'demo', id: 'lab' }, { role: 'visualization' });
    const lab = await desk('lab');
    await expect(lab.request(PUMP, 'double', {})).rejects.toMatchObject({ code: 'publish_refused' });
  });
});

describe('a request to what a gateway speaks for', () => {
  async function hub(handler: Parameters<Awaited<ReturnType<typeof connectGateway>>['onCommand']>[0]) {
    const made = await connectGateway({ ...place(), type: 'hub', id: 'hub-1', token: server.tokens['hub-1'] ?? '' });
    opened.push(made);
    await made.onCommand(handler);
    return made;
  }

  it('gets what the gateway answers, in the name of the device that was asked, and for itself', async () => {
    await hub(({ device, payload }) => ({ from: device.id, n: (payload as { n: number }).n * 2 }));
    const application = await desk();
    const [pump7, pump8, itself] = await Promise.all([
      application.request(PUMP, 'double', { n: 1 }),
      application.request({ type: 'pump', id: 'pump-8' }, 'double', { n: 2 }),
      application.request({ type: 'hub', id: 'hub-1', kind: 'gateway' }, 'double', { n: 3 }),
    ]);
    expect(pump7).toEqual({ from: 'pump-7', n: 2 });
    expect(pump8).toEqual({ from: 'pump-8', n: 4 });
    expect(itself).toEqual({ from: 'hub-1', n: 6 });
  });

  it('is left to the device where the gateway answers nothing', async () => {
    await hub(() => undefined);
    const device = await pump();
    await device.onCommand('double', () => 'the device itself');
    expect(await (await desk()).request(PUMP, 'double', {})).toBe('the device itself');
  });
});

describe('connecting and publishing', () => {
  it('can be given up by a signal, which closes the connection later on', async () => {
    const stop = new AbortController();
    const device = await connectDevice({
      ...place(),
      ...PUMP,
      token: server.tokens['pump-7'] ?? '',
      signal: stop.signal,
    });
    await device.publishEvent('status', {}, { signal: stop.signal });
    stop.abort();
    expect(await device.closed).toBeUndefined();
    await expect(connectDevice({ ...place(), ...PUMP, token: 'not sent', signal: stop.signal })).rejects.toThrow(
      /abort/,
    );
  });
});
