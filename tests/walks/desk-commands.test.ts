import { type Application, connectApplication } from '@sallyport/application';
import { type Command, type CommandVerdict, connectDevice, type Device } from '@sallyport/device';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Desk } from '../../packages/cli/src/desk/desk.ts';
import { forgeries } from '../../packages/cli/src/desk/forgeries.ts';
import { protectedManners } from '../../packages/cli/src/desk/manners.ts';
import { arrivals, newIdentity } from '../identities.ts';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
let application: Application;
let device: Device;
let desk: Desk;
const verdicts = arrivals<CommandVerdict>();
const commands = arrivals<Command>();

beforeAll(async () => {
  server = await testServer();
  const place = { host: server.host, port: server.port, ca: server.rootFile, organisation: 'demo' };
  device = await connectDevice({
    ...place,
    type: 'pump',
    id: 'pump-7',
    token: server.tokens['pump-7'] ?? '',
    protection: { firstUse: ['+'], identity: (await newIdentity(server, 'device:demo/pump/pump-7')).identity },
  });
  device.onVerdict((verdict) => {
    if (verdict.outcome === 'valid' || verdict.outcome === 'invalid') verdicts.put(verdict);
  });
  await device.onCommand('+', (command) => commands.put(command));
  const { identity } = await newIdentity(server, 'application:demo/desk');
  application = await connectApplication({
    ...place,
    id: 'desk',
    key: server.keys.desk ?? '',
    token: server.tokens.desk ?? '',
    protection: { identity },
  });
  const now = Date.now;
  desk = await Desk.open({
    application,
    server: 'here',
    manners: [...protectedManners(application), ...forgeries({ application, identity, organisation: 'demo', now })],
    now,
    changed: () => {},
  });
});
afterAll(async () => {
  await application.close();
  await device.close();
  await server.close();
});

const send = (manner: string) => desk.send({ type: 'pump', id: 'pump-7', name: 'stop', text: '{"now":true}', manner });
const newest = () => desk.document().commands[0];

it('sends a command that the device follows', async () => {
  await send('signed');
  expect(await verdicts.next()).toMatchObject({ outcome: 'valid' });
  expect(await commands.next()).toMatchObject({
    name: 'stop',
    payload: { now: true },
    application: 'application:demo/desk',
  });
  expect(newest()).toMatchObject({ manner: 'Signed', outcome: 'accepted by the server' });
});

it.each([
  ['wrong-application', 'wrong_application'],
  ['wrong-signature', 'bad_signature'],
  ['stale', 'expired'],
  ['other-device', 'wrong_device'],
])('shows how a command that is %s is refused, by the word of the device', async (manner, reason) => {
  await send(manner);
  expect(await verdicts.next()).toMatchObject({ outcome: 'invalid', reason });
  await expect.poll(() => newest()?.answer, { timeout: 15_000 }).toBe(`refused it, signed: ${reason}`);
});

it('shows that a replayed command is followed once', async () => {
  await send('replayed');
  expect(await verdicts.next()).toMatchObject({ outcome: 'valid' });
  expect(await commands.next()).toMatchObject({ name: 'stop' });
  expect(await verdicts.next()).toMatchObject({ outcome: 'invalid' });
  await expect.poll(() => newest()?.answer, { timeout: 15_000 }).toMatch(/^refused it, signed: /);
});

it('seals a command for the device alone', async () => {
  await send('sealed');
  expect(await verdicts.next()).toMatchObject({ outcome: 'valid' });
});

it.each([
  [{}, 'The command has no text.'],
  [{ type: 'pump', id: 'pump-7', name: 'a/b', text: '', manner: 'signed' }, 'cannot be the name of the command'],
  [{ type: 'pump', id: 'pump-7', name: 'a', text: '', manner: 'magic' }, 'no such way of sending'],
])('refuses %j', async (request, problem) => {
  await expect(desk.send(request)).rejects.toThrow(problem);
});
