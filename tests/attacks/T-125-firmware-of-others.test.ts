import { connectAsync } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issuedPair } from '../certificate-clients.ts';
import { digestOf, fetchFirmware, released, someImage } from '../firmware.ts';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
const image = someImage();
let path: string;
beforeAll(async () => {
  server = await testServer({ 'listeners.enrolment.enabled': true, 'listeners.enrolment.port': 0 });
  await server.api.firmware.initialise('demo');
  await released(server, image, { version: '1.0.0' });
  path = `/firmware/demo/targets/pump/${digestOf(image)}.1.0.0.bin`;
  const { registry } = server.server;
  await registry.types.create({ organisation: 'demo', id: 'valve', class: 'device', by: 'system' });
});
afterAll(() => server.close());

const pump = () => ({ as: 'demo/pump/pump-7', token: server.tokens['pump-7'] ?? '' });

let valves = 0;
async function valve() {
  const id = `valve-${++valves}`;
  const { token } = await server.server.registry.devices.create({
    organisation: 'demo',
    type: 'valve',
    id,
    by: 'system',
  });
  return { as: `demo/valve/${id}`, token, id };
}

async function reasonOf(ticket: string): Promise<string> {
  return (await server.api.explainTicket(ticket)).reason;
}

describe('firmware over HTTPS', () => {
  it('is handed out to a device of the type, whole and in ranges', async () => {
    const whole = await fetchFirmware(server, path, pump());
    expect([whole.status, whole.bytes.equals(image)]).toEqual([200, true]);
    const rest = await fetchFirmware(server, path, { ...pump(), headers: { range: 'bytes=60000-' } });
    expect([rest.status, rest.headers['content-range']]).toEqual([206, `bytes 60000-99999/${image.length}`]);
    expect(rest.bytes.equals(image.subarray(60_000))).toBe(true);
    const beyond = await fetchFirmware(server, path, { ...pump(), headers: { range: 'bytes=100000-' } });
    expect(beyond.status).toBe(416);
  });

  it.each([
    ['nobody', {}],
    ['a wrong token', { as: 'demo/pump/pump-7', token: 'wrong-token-000' }],
    ['the token of another device', { as: 'demo/pump/pump-8', token: 'PUMP-7' }],
    ['a name that is none', { as: 'demo/pump', token: 'PUMP-7' }],
  ])('is not handed out to %s, and the refusal is explained', async (_, shown) => {
    const given = shown as { as?: string; token?: string };
    const token = given.token === 'PUMP-7' ? server.tokens['pump-7'] : given.token;
    const answer = await fetchFirmware(server, path, { ...given, ...(token === undefined ? {} : { token }) });
    expect(answer.status).toBe(401);
    const { ticket } = JSON.parse(answer.bytes.toString()) as { ticket: string };
    expect(['missing_credential', 'wrong_secret', 'unknown_identity', 'wrong_user_name']).toContain(
      await reasonOf(ticket),
    );
  });

  it('is handed out for a certificate on the listener that asks for one, to its own type only', async () => {
    const port = server.server.enrolmentPort ?? 0;
    await server.api.types.update({ organisation: 'demo', id: 'pump' }, { security: 'tls-certificate-or-token' });
    const { cert, key } = await issuedPair(server, 'device:demo/pump/pump-7');
    const whole = await fetchFirmware(server, path, { certificate: { cert, key }, port });
    expect([whole.status, whole.bytes.equals(image)]).toEqual([200, true]);
    const other = await fetchFirmware(server, path.replace('/demo/', '/other/'), { certificate: { cert, key }, port });
    expect(other.status).toBe(403);
    const nothing = await fetchFirmware(server, path, { port });
    expect(nothing.status).toBe(401);
    await server.api.types.update({ organisation: 'demo', id: 'pump' }, { security: 'tls-token' });
  });

  it('is not handed out to a device of another type or organisation', async () => {
    const neighbour = { as: 'other/pump/pump-7', token: server.tokens['other/pump-7'] ?? '' };
    for (const shown of [await valve(), neighbour]) {
      const answer = await fetchFirmware(server, path, shown);
      expect(answer.status).toBe(403);
      const { ticket } = JSON.parse(answer.bytes.toString()) as { ticket: string };
      expect(await reasonOf(ticket)).toBe('firmware_not_for_type');
    }
    const metadata = await fetchFirmware(server, '/firmware/demo/metadata/timestamp.json', neighbour);
    expect(metadata.status).toBe(403);
  });

  it.each([
    '/firmware/demo/keys/root.pem',
    '/firmware/demo/metadata/../keys/root.pem',
    '/firmware/demo/metadata/%2e%2e%2fkeys%2froot.pem',
    '/firmware/demo/targets/pump/../../keys/root.pem',
    '/firmware/demo/metadata/bootloader.exe',
    '/firmware/demo/uploads/x.part',
  ])('has no other files: %s', async (strange) => {
    const answer = await fetchFirmware(server, strange, pump());
    expect([400, 404]).toContain(answer.status);
  });
});

describe('firmware over MQTT', () => {
  async function ask(as: { type: string; id: string; token: string }, file: string, length = 65_536) {
    const client = await connectAsync(`mqtts://localhost:${server.port}`, {
      ca: server.rootPem,
      clientId: `d:demo:${as.type}:${as.id}`,
      username: 'use-token-auth',
      password: as.token,
    });
    await client.subscribeAsync('iotdm-1/#', { qos: 1 });
    const answered = new Promise<{ topic: string; payload: Buffer }>((resolve) =>
      client.on('message', (topic, payload) => resolve({ topic, payload })),
    );
    await client.publishAsync(
      'iotdevice-1/mgmt/firmware',
      JSON.stringify({ reqId: 'r1', d: { file, offset: 40_000, length } }),
      { qos: 1 },
    );
    const answer = await answered;
    await client.endAsync();
    return answer;
  }

  it('is handed out in pieces to a device of the type', async () => {
    const as = { type: 'pump', id: 'pump-7', token: server.tokens['pump-7'] ?? '' };
    const { topic, payload } = await ask(as, path.replace('/firmware/demo/', ''));
    expect(topic).toBe(`iotdm-1/firmware/r1/40000/${image.length}`);
    expect(payload.equals(image.subarray(40_000))).toBe(true);
  });

  it('is not handed out to a device of another type, nor a file that is none', async () => {
    const { id, token } = await valve();
    const as = { type: 'valve', id, token };
    const other = await ask(as, path.replace('/firmware/demo/', ''));
    const said = JSON.parse(other.payload.toString()) as { rc: number; message: string };
    expect([other.topic, said.rc]).toEqual(['iotdm-1/response', 403]);
    const ticket = /ticket ([0-9A-Z]{6})/.exec(said.message)?.[1] ?? '';
    expect(await reasonOf(ticket)).toBe('firmware_not_for_type');
    const none = await ask(as, 'metadata/../keys/root.pem');
    expect(JSON.parse(none.payload.toString())).toMatchObject({ rc: 404 });
  });
});
