// @ts-check
import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Flash, httpsSource, makeDevice } from '@sallyport/device/firmware';
import { SimulatedDevice } from '@sallyport/device/simulator';
import { example } from '../example.mjs';

await example('Firmware that starts only when it should', async ({ place, httpPort, folder, api, pump, say }) => {
  const { organisation, ...server } = place;
  await api.firmware.initialise(organisation);
  /** @param {string} version @param {Buffer} image */
  const release = async (version, image) => {
    const digest = createHash('sha256').update(image).digest('hex');
    const size = image.length;
    await api.firmware.upload(organisation, { digest, size, offset: 0, bytes: new Uint8Array(image) });
    await api.firmware.release(organisation, { type: pump.type, version, digest, size });
    say(`✓ Signed and released ${version}`);
  };
  const source = httpsSource({ ...place, port: httpPort, ...pump });
  /** @param {string} file */
  const part = async (file) => {
    const chunks = [];
    for await (const chunk of (await source.read(`metadata/${file}`, 0)) ?? []) chunks.push(chunk);
    return Buffer.concat(chunks);
  };
  const flash = new Flash(join(folder, 'pump-7'));
  makeDevice(flash, {
    configuration: { organisation, type: pump.type, id: pump.id },
    root: (await part('1.root.json')).toString('utf8'),
    bootloader: { image: await part('bootloader.bin'), statement: await part('bootloader.json') },
  });
  const device = new SimulatedDevice({
    server,
    organisation,
    type: pump.type,
    id: pump.id,
    proof: { by: 'token', token: pump.token },
    flash,
    source,
    every: 60_000,
    now: Date.now,
    random: Math.random,
  });
  /** @param {string} version */
  const runs = (version) => {
    if (device.state.boot?.version !== version) throw new Error(`${device.state.boot?.version} runs, not ${version}`);
  };
  await release('1.0.0', randomBytes(50_000));
  await device.start();
  runs('1.0.0');
  say('✓ The new device found no image, came to the server, and took the first');

  await release('1.1.0', randomBytes(50_000));
  await device.update();
  runs('1.1.0');
  say('✓ The update was verified, tried and kept');

  await release('1.2.0', Buffer.from('#!unhealthy\nthis image does not pass its health check'));
  await device.update();
  runs('1.1.0');
  const { outcome, stage, reason } = device.state.boot ?? {};
  say(`✓ An image that is not healthy gave way to the one before: ${outcome}, ${stage}, ${reason}`);

  const older = await device.update('1.0.0').then(
    () => undefined,
    (/** @type {Error} */ failure) => failure.message,
  );
  if (older === undefined) throw new Error('the device took an older image');
  say(`✓ ${older}`);
  await device.stop();
});
