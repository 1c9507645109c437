// @ts-check
import { connectDevice } from '@sallyport/device';
import { example } from '../example.mjs';

await example('Addresses that may not even knock', async ({ place, api, pump, say, refused }) => {
  const { organisation } = place;
  const entries = ['127.0.0.1', '::1'].map((entry) => ({ entry }));
  await api.lists.add(organisation, 'black', { entries, force: true });
  await api.lists.use(organisation, { active: 'black', force: true });
  await refused('A device with the right token from an address on the black list', () =>
    connectDevice({ ...place, ...pump }),
  );

  await api.lists.use(organisation, { active: 'none' });
  const device = await connectDevice({ ...place, ...pump });
  say('✓ Without the list the same device is in');
  await device.close();
});
