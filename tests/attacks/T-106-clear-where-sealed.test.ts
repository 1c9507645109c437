import { connectApplication, type DeviceName } from '@sallyport/application';
import { connectDevice } from '@sallyport/device';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newIdentity } from '../identities.ts';
import { type TestServer, testServer } from '../server.ts';
import { commandBy, DESK, identityOf, platform } from './guard-laboratory.ts';

let server: TestServer;
const opened: { close(): Promise<void> }[] = [];
const pump7: DeviceName = { type: 'pump', id: 'pump-7' };
const clear = { level: 'treasure' };
beforeAll(async () => {
  server = await testServer();
  await server.api.types.update({ organisation: 'demo', id: 'pump' }, { encryption: 'required', commands: 'signed' });
});
afterAll(async () => {
  for (const client of opened.splice(0)) await client.close();
  await server.close();
});

const place = () => ({ host: server.host, port: server.port, ca: server.rootFile, organisation: 'demo' });
const reasonOf = async (attempt: Promise<unknown>) => {
  const refused = (await attempt.then(
    () => ({}),
    (failure: unknown) => failure,
  )) as { ticket?: string };
  return refused.ticket === undefined ? 'taken' : (await server.api.explainTicket(refused.ticket)).reason;
};

describe('a client that would speak in clear where sealing is demanded', () => {
  it('is not helped by the name of a format, by the first bytes of one, or by the messages about keys', async () => {
    const device = await connectDevice({ ...place(), ...pump7, token: server.tokens['pump-7'] ?? '' });
    opened.push(device);
    const sends = (name: string, payload: unknown, format?: string) =>
      reasonOf(device.publishEvent(name, payload, format === undefined ? {} : { format }));
    const text = new TextEncoder().encode(JSON.stringify(clear));
    const cborText = Uint8Array.from([0xd0, 0x83, 0x40, 0xa0, 0x58, text.length, ...text]);
    expect(await sends('level', clear)).toBe('payload_not_sealed');
    expect(await sends('level', text, 'cose-sealed')).toBe('payload_not_sealed');
    expect(await sends('level', cborText, 'cose-sealed')).toBe('payload_not_sealed');
    expect(await sends('level', text, 'jwe')).toBe('payload_not_sealed');
    expect(await sends('level', new TextEncoder().encode(`e30..AAAA.${btoa('treasure')}.AAAA`), 'jwe')).toBe(
      'payload_not_sealed',
    );
    // A signed command is small and well formed; it is no statement and no refusal.
    const world = await platform();
    const signed = await commandBy(await identityOf(world.demo, DESK));
    expect(await sends('sallyport-identity', signed, 'cose')).toBe('payload_not_sealed');
    expect(await sends('sallyport-refusal', signed, 'cose')).toBe('payload_not_sealed');
    expect(await sends('level', signed, 'cose')).toBe('payload_not_sealed');
  });

  it('is refused as an application too, sealed for nobody or only signed', async () => {
    const { identity } = await newIdentity(server, DESK);
    const access = { id: 'desk', key: server.keys.desk ?? '', token: server.tokens.desk ?? '' };
    const desk = await connectApplication({ ...place(), ...access, protection: { identity, introductionTimeout: 50 } });
    opened.push(desk);
    expect(await reasonOf(desk.sendCommand(pump7, 'restart', clear))).toBe('payload_not_sealed');
    // The SDK sends nothing rather than send it in clear.
    await expect(desk.sendCommand(pump7, 'restart', clear, { seal: true })).rejects.toMatchObject({
      code: 'key_material_invalid',
    });
  });
});
