// @ts-check
import { connectDevice } from '@sallyport/device';
import { example } from '../example.mjs';

await example('A device proves who it is with its token', async ({ place, api, pump, say, refused }) => {
  await refused('A token that was never issued', () => connectDevice({ ...place, ...pump, token: 'never-issued-000' }));

  const device = await connectDevice({ ...place, ...pump });
  await device.publishEvent('status', { level: 21 });
  say(`✓ ${device.clientId} is in, and its event was taken`);

  const name = { organisation: place.organisation, type: pump.type, id: pump.id };
  const [credential] = (await api.devices.credentials.list(name)).items;
  if (credential) await api.devices.credentials.revoke(name, credential.id);
  await device.closed;
  say('✓ The token was revoked: the session ended at once');
  await refused('The same token afterwards', () => connectDevice({ ...place, ...pump }));
});
