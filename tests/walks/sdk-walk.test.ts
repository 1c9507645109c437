import { type ConnectionStatus, connectApplication, type Event } from '@sallyport/application';
import { type AttachedCommand, connectDevice, connectGateway } from '@sallyport/device';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';

describe('the SDKs against a server', () => {
  let server: TestServer;
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(client: T): T => {
    opened.push(client);
    return client;
  };
  beforeAll(async () => {
    server = await testServer();
  });
  afterEach(async () => {
    for (const client of opened.splice(0)) await client.close();
  });
  afterAll(() => server.close());

  const place = () => ({ host: server.host, port: server.port, ca: server.rootFile, organisation: 'demo' });
  const token = (id: string) => server.tokens[id] ?? '';
  const application = (id: string) =>
    connectApplication({ ...place(), id, key: server.keys[id] ?? '', token: token(id) }).then(keep);
  const device = (id: string, more = {}) =>
    connectDevice({ ...place(), type: 'pump', id, token: token(id), ...more }).then(keep);

  it('carries bytes as bytes, also over WebSocket and MQTT 3.1.1', async () => {
    const desk = await application('desk');
    const events: Event[] = [];
    const both = new Promise<void>((resolve) => {
      void desk.subscribeEvents({ event: 'blob' }, (event) => {
        if (events.push(event) === 2) resolve();
      });
    });
    const plain = await device('pump-7', { protocolVersion: 4 });
    const web = await device('pump-8', { port: server.httpPort, websocket: true });
    await desk.subscribeEvents({ event: 'fence' }, () => {});
    await plain.publishEvent('blob', new Uint8Array([0, 255]));
    await web.publishEvent('blob', new Uint8Array([7]));
    await both;
    const seen = events.map(({ device: { id }, payload }) => [id, [...(payload as Uint8Array)]]);
    expect(Object.fromEntries(seen)).toEqual({ 'pump-7': [0, 255], 'pump-8': [7] });
  });

  it('lets a gateway speak for its devices and hear their commands', async () => {
    const tap = await application('tap');
    const gateway = keep(await connectGateway({ ...place(), type: 'hub', id: 'hub-1', token: token('hub-1') }));
    const heard = new Promise<Event>((resolve) => void tap.subscribeEvents({ type: 'hub', event: 'status' }, resolve));
    const asked = new Promise<AttachedCommand>((resolve) => void gateway.onCommand(resolve));
    await tap.subscribeEvents({ event: 'fence' }, () => {});
    await gateway.publishEvent({ type: 'hub', id: 'hub-1' }, 'status', { up: true });
    expect(await heard).toMatchObject({ device: { type: 'hub', id: 'hub-1' }, payload: { up: true } });
    await tap.sendCommand({ type: 'hub', id: 'hub-1' }, 'restart', null);
    expect(await asked).toMatchObject({ device: { type: 'hub', id: 'hub-1' }, name: 'restart', payload: null });
  });

  it('tells applications when a device goes, and ends a suspended device for good', async () => {
    const tap = await application('tap');
    const pump = await device('pump-7');
    const gone = new Promise<ConnectionStatus>((resolve) => {
      void tap.subscribeStatus({ device: 'pump-7' }, (status) => {
        if (status.action === 'Disconnect') resolve(status);
      });
    });
    await tap.subscribeEvents({ event: 'fence' }, () => {});
    await server.api.devices.suspend({ organisation: 'demo', type: 'pump', id: 'pump-7' });
    expect(await gone).toMatchObject({ device: { type: 'pump', id: 'pump-7' }, clientId: 'd:demo:pump:pump-7' });
    const reason = await pump.closed;
    expect(reason).toMatchObject({ code: 'connection_refused', ticket: expect.any(String) });
    const ticket = (reason as { ticket?: string }).ticket ?? '';
    expect(await server.api.explainTicket(ticket)).toMatchObject({ reason: 'principal_suspended' });
  });
});
