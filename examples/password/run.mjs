// @ts-check
import { Link } from '@sallyport/device';
import { example } from '../example.mjs';

await example('A device proves who it is with a user name and password', async ({ place, api, pump, say, refused }) => {
  const name = { organisation: place.organisation, type: pump.type, id: pump.id };
  const password = { username: 'pump-seven', password: 'correct horse battery staple' };
  await api.devices.credentials.issue(name, { password });
  const clientId = `d:${place.organisation}:${pump.type}:${pump.id}`;

  const link = await Link.open(place, { clientId, ...password });
  await link.publish('iot-2/evt/status/fmt/json', new TextEncoder().encode('{"level":21}'), 1);
  say(`✓ ${clientId} is in by its user name, and its event was taken`);
  await link.close();

  await refused('A wrong password', () => Link.open(place, { clientId, username: 'pump-seven', password: 'wrong' }));
  await refused('The right one, for the client id of another device', () =>
    Link.open(place, { clientId: `d:${place.organisation}:pump:pump-8`, ...password }),
  );
});
