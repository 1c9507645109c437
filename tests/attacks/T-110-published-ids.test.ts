import { connectApplication, sendPublishedCommand } from '@sallyport/application';
import { connectDevice, guardByPublishedId, type PublishedVerdict } from '@sallyport/device';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { arrivals } from '../identities.ts';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
const opened: { close(): Promise<void> }[] = [];
const pump7 = { type: 'pump', id: 'pump-7' };
beforeAll(async () => {
  server = await testServer();
});
afterAll(async () => {
  for (const client of opened.splice(0)) await client.close();
  await server.close();
});

describe('a principal that may command a device of the published form', () => {
  it('cannot replace the id, nor guess it by parts of it, other types or length', async () => {
    const place = { host: server.host, port: server.port, ca: server.rootFile, organisation: 'demo' };
    const device = await connectDevice({ ...place, ...pump7, token: server.tokens['pump-7'] ?? '' });
    const desk = await connectApplication({
      ...place,
      id: 'desk',
      key: server.keys.desk ?? '',
      token: server.tokens.desk ?? '',
    });
    opened.push(device, desk);
    const verdicts = arrivals<PublishedVerdict>();
    const followed: unknown[] = [];
    await guardByPublishedId(device, {
      deviceId: 'pump-7',
      isUIDValidation: true,
      isUIDStorageCapable: false,
      onCommand: (command) => void followed.push(command),
      onVerdict: (verdict) => verdicts.put(verdict),
    });
    const send = (content: object) => desk.sendCommand(pump7, 'cid', content);
    await send({ cmd: 'server_uid_response', uid: 'S0a1b2c3d4e5f', appid: 'desk' });
    await send({ cmd: 'server_uid_response', uid: 'S666666666666', appid: 'lab' });
    expect(await verdicts.next()).toMatchObject({ reason: 'not_asked' });
    for (const uid of [
      '',
      'S',
      'S0a1b2c3d4e5',
      'S0a1b2c3d4e5fS0a1b2c3d4e5f',
      's0a1b2c3d4e5f',
      ['S0a1b2c3d4e5f'],
      null,
      undefined,
    ]) {
      await send({ cmd: 'command', text: 'x', uid });
      expect(await verdicts.next()).toMatchObject({ status: 'Invalid', reason: 'wrong_uid' });
    }
    expect(followed).toEqual([]);
    await sendPublishedCommand(desk, pump7, { text: 'y' }, { appid: 'desk', uid: 'S0a1b2c3d4e5f' });
    expect(await verdicts.next()).toMatchObject({ status: 'Valid' });
  });
});
