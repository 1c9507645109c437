import { afterEach, beforeEach, expect, it } from 'vitest';
import { type TestServer, testServer } from '../server.ts';

let server: TestServer;
beforeEach(async () => {
  server = await testServer();
});
afterEach(() => server.close());

const SHUTS_OUT = { code: 'list_shuts_out' };
/** Where the requests of the test come from. */
const OWN = ['127.0.0.0/8', '::1'].map((entry) => ({ entry }));

it.each([undefined, 'demo'])('an empty white list is not turned on by accident, for scope %s', async (scope) => {
  const { lists } = server.api;
  await expect(lists.use(scope, { active: 'white' })).rejects.toMatchObject(SHUTS_OUT);
  expect(await lists.get(scope)).toMatchObject({ active: 'none' });
});

it('nor one whose only entry has ended', async () => {
  const { lists } = server.api;
  await lists.add('demo', 'white', { entries: [{ entry: '192.0.2.1', expiresIn: '1s' }] });
  await expect
    .poll(() => lists.use('demo', { active: 'white' }).catch(({ message }) => message), { timeout: 15_000 })
    .toContain('no entry');
});

it('a list that refuses the own address is not turned on, and no entry is added or removed that would do it', async () => {
  const { lists } = server.api;
  await lists.add(undefined, 'white', { entries: [{ entry: '192.0.2.0/24' }] });
  await expect(lists.use(undefined, { active: 'white' })).rejects.toMatchObject(SHUTS_OUT);
  await lists.add(undefined, 'white', { entries: OWN });
  await lists.use(undefined, { active: 'white' });
  for (const { entry } of OWN) {
    await lists.remove(undefined, 'white', entry).catch((error: unknown) => expect(error).toMatchObject(SHUTS_OUT));
  }
  expect((await lists.entries(undefined, 'white')).items.length).toBeGreaterThanOrEqual(2);

  await lists.add(undefined, 'white', { entries: OWN });
  await lists.use(undefined, { active: 'black' });
  await expect(lists.add(undefined, 'black', { entries: OWN })).rejects.toMatchObject(SHUTS_OUT);
  expect(await lists.get(undefined)).toMatchObject({ active: 'black', black: 0 });
});

it('what is forced is done, for an organisation only, and the audit trail says so', async () => {
  const { lists } = server.api;
  expect(await lists.use('demo', { active: 'white', force: true })).toMatchObject({ active: 'white', white: 0 });
  await expect
    .poll(async () => (await server.api.audit({ type: 'list.updated' })).items[0])
    .toMatchObject({ target: 'list:demo', by: 'operator:admin', details: { active: 'white', forced: true } });
});
