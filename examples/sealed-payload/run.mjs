// @ts-check
import { connectApplication, provisionIdentity, readIdentity } from '@sallyport/application';
import { connectDevice, Link } from '@sallyport/device';
import { example, mailbox } from '../example.mjs';

await example('An event that only its application can read', async ({ place, api, pump, desk, say }) => {
  const { organisation } = place;
  /** @param {string} principal */
  const identityOf = async (principal) => {
    const { file } = await provisionIdentity(api, { organisation, principal });
    return readIdentity(JSON.stringify(file));
  };
  const device = await connectDevice({
    ...place,
    ...pump,
    protection: {
      identity: await identityOf(`device:${organisation}/${pump.type}/${pump.id}`),
      firstUse: ['+'],
      sealEventsFor: [desk.id],
    },
  });
  const application = await connectApplication({
    ...place,
    ...desk,
    protection: { identity: await identityOf(`application:${organisation}/${desk.id}`), sealCommands: true },
  });
  const opened = /** @type {ReturnType<typeof mailbox<import('@sallyport/application').Event>>} */ (mailbox());
  await application.subscribeEvents({ event: 'reading' }, opened.take);

  const made = await api.applications.create({ organisation, id: 'tap' });
  const tap = await Link.open(place, {
    clientId: `a:${organisation}:tap`,
    username: made.application.key,
    password: made.token ?? '',
  });
  const seen = /** @type {ReturnType<typeof mailbox<string>>} */ (mailbox());
  await tap.subscribe('iot-2/type/+/id/+/evt/reading/fmt/+', 1, (_topic, bytes) => {
    seen.take(Buffer.from(bytes).toString('latin1'));
  });

  // The command introduces the application: after it the device has its keys.
  const followed = mailbox();
  await device.onCommand('+', followed.take);
  await application.sendCommand({ type: pump.type, id: pump.id }, 'hello', {});
  await followed.next();
  await device.publishEvent('reading', { secretLevel: 21 });

  const event = await opened.next();
  say(`✓ The application opened it: ${JSON.stringify(event.payload)}`);
  const between = await seen.next();
  if (between.includes('secretLevel')) throw new Error('somebody else could read it');
  say(`✓ Everybody between sees ${between.length} bytes that say nothing`);
  await Promise.all([device.close(), application.close(), tap.close()]);
});
