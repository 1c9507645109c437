// @ts-check
import { Link } from '@sallyport/device';
import { generateKeyPair, keyPairToPem, selfSignedClientCertificate } from '@sallyport/trust';
import { example } from '../example.mjs';

await example('A device signs its certificate itself, and the registry knows this one', async (stage) => {
  const { place, api, pump, say, refused } = stage;
  const { organisation } = place;
  await api.types.update({ organisation, id: pump.type }, { security: 'tls-certificate' });
  const clientId = `d:${organisation}:${pump.type}:${pump.id}`;
  const keys = await generateKeyPair();
  const cert = await selfSignedClientCertificate({ keys, commonName: pump.id, now: Date.now(), validity: 3_600_000 });
  const certificate = { cert, key: await keyPairToPem(keys) };
  await refused('A certificate that nobody pinned', () => Link.open({ ...place, certificate }, { clientId }));

  const principal = `device:${organisation}/${pump.type}/${pump.id}`;
  const pinned = await api.certificates.pin(organisation, { principal, certificate: cert });
  const link = await Link.open({ ...place, certificate }, { clientId });
  say(`✓ ${clientId} is in by its pinned certificate ${pinned.fingerprint?.slice(0, 16)}…`);
  await link.close();

  await api.certificates.revoke(organisation, pinned.id);
  await refused('The same certificate without the pin', () => Link.open({ ...place, certificate }, { clientId }));
});
