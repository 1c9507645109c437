// @ts-check
import { connectApplication, provisionIdentity, readIdentity } from '@sallyport/application';
import { connectDevice } from '@sallyport/device';
import { example, mailbox } from '../example.mjs';

await example('A device keeps to the application that it met first', async ({ place, api, pump, desk, say }) => {
  const { organisation } = place;
  const device = await connectDevice({ ...place, ...pump, protection: { firstUse: ['+'] } });
  const verdicts = /** @type {ReturnType<typeof mailbox<import('@sallyport/device').CommandVerdict>>} */ (mailbox());
  device.onVerdict((verdict) => {
    if (verdict.name === 'reset') verdicts.take(verdict);
  });

  /** @param {{ id: string, key: string, token: string }} application */
  const open = async (application) => {
    const principal = `application:${organisation}/${application.id}`;
    const { file } = await provisionIdentity(api, { organisation, principal });
    const identity = await readIdentity(JSON.stringify(file));
    return connectApplication({ ...place, ...application, protection: { identity } });
  };
  const first = await open(desk);
  await first.sendCommand({ type: pump.type, id: pump.id }, 'reset', { count: 1 });
  const taken = await verdicts.next();
  if (taken.outcome !== 'valid') throw new Error(`the first application was not followed: ${JSON.stringify(taken)}`);
  say(`✓ The device met ${taken.command.application}, keeps its keys, and followed its command`);

  const made = await api.applications.create({ organisation, id: 'stranger' });
  const second = await open({ id: 'stranger', key: made.application.key, token: made.token ?? '' });
  await second.sendCommand({ type: pump.type, id: pump.id }, 'reset', { count: 2 });
  const ignored = await verdicts.next();
  if (ignored.outcome !== 'invalid') throw new Error('a second application was followed');
  say(`✓ Another application, rightly signed, was ignored: ${ignored.reason}`);
  await Promise.all([device.close(), first.close(), second.close()]);
});
