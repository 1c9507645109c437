// @ts-check
import { Link } from '@sallyport/device';
import { createCertificateRequest, generateKeyPair, keyPairToPem } from '@sallyport/trust';
import { example } from '../example.mjs';

await example(
  'A device proves who it is with a certificate of the server',
  async ({ place, api, pump, say, refused }) => {
    const { organisation } = place;
    await api.types.update({ organisation, id: pump.type }, { security: 'tls-certificate' });
    const clientId = `d:${organisation}:${pump.type}:${pump.id}`;
    await refused('No certificate', () => Link.open(place, { clientId }));

    const keys = await generateKeyPair();
    const csr = await createCertificateRequest({ keys, commonName: pump.id });
    const principal = `device:${organisation}/${pump.type}/${pump.id}`;
    const issued = await api.certificates.issue(organisation, { principal, csr });
    const certificate = { cert: issued.chainPem, key: await keyPairToPem(keys) };
    const link = await Link.open({ ...place, certificate }, { clientId });
    say(`✓ ${clientId} is in by its certificate ${issued.certificate.serial}; its key never left it`);

    const ended = new Promise((resolve) => link.on('problem', resolve));
    await api.certificates.revoke(organisation, issued.certificate.id);
    await ended;
    say('✓ The certificate was revoked: the session ended at once');
    await link.close();
    await refused('The same certificate afterwards', () => Link.open({ ...place, certificate }, { clientId }));
  },
);
