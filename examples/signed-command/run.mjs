// @ts-check
import { connectApplication, provisionIdentity, readIdentity } from '@sallyport/application';
import { SimulatedDevice } from '@sallyport/device/simulator';
import { example } from '../example.mjs';

await example(
  'A device follows only what its application has signed, once',
  async ({ place, api, pump, desk, say }) => {
    const { organisation, ...server } = place;
    const { file } = await provisionIdentity(api, {
      organisation,
      principal: `application:${organisation}/${desk.id}`,
    });
    const device = new SimulatedDevice({
      server,
      organisation,
      type: pump.type,
      id: pump.id,
      proof: { by: 'token', token: pump.token },
      protection: { applications: [{ application: desk.id, commands: ['reset'] }] },
      every: 60_000,
      now: Date.now,
      random: Math.random,
    });
    const met = () => device.state.commands.filter(({ name }) => name === 'reset');
    /** @param {number} count */
    const meets = (count) =>
      new Promise((resolve) => {
        const end = device.on(() => {
          if (met().length < count) return;
          end();
          resolve(undefined);
        });
      });
    await device.start();

    const identity = await readIdentity(JSON.stringify(file));
    const signing = await connectApplication({ ...place, ...desk, protection: { identity } });
    const first = meets(1);
    await signing.sendCommand({ type: pump.type, id: pump.id }, 'reset', { count: 1 });
    await first;

    const made = await api.applications.create({ organisation, id: 'plain' });
    const plain = { id: 'plain', key: made.application.key, token: made.token ?? '' };
    const unsigned = await connectApplication({ ...place, ...plain });
    const second = meets(2);
    await unsigned.sendCommand({ type: pump.type, id: pump.id }, 'reset', { count: 2 });
    await second;

    await device.replay();
    for (const { text, valid, why } of met()) say(`  ${valid ? 'Valid  ' : 'Invalid'} ${text.slice(0, 40)} ${why}`);
    const verdicts = met().map(({ valid }) => valid);
    if (verdicts.join() !== 'true,false,false') throw new Error(`the device judged ${verdicts.join()}`);
    say('✓ The signed command was followed; the unsigned one and the replayed one were not');
    await Promise.all([signing.close(), unsigned.close(), device.stop()]);
  },
);
