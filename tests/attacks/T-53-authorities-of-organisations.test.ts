import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { createCertificateRequest, generateKeyPair } from '@sallyport/trust';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { issuedPair, pairOf, reasonOf } from '../certificate-clients.ts';
import { type TestServer, testServer } from '../server.ts';

const clientId = 'd:demo:pump:pump-7';

describe('whoever has stolen the key of an authority of an organisation', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await testServer();
    for (const organisation of ['demo', 'other']) {
      await server.api.types.update({ organisation, id: 'pump' }, { security: 'tls-certificate' });
    }
  });
  afterAll(() => server.close());

  it('speaks for nobody: what it signs is not on record, neither here nor in the neighbour', async () => {
    await issuedPair(server, 'device:other/pump/pump-7');
    const { readFileSync } = await import('node:fs');
    const { keyPairFromPem, readCertificate, restoreAuthority } = await import('@sallyport/trust');
    const folder = join(server.directory, 'pki', 'organisations', 'other');
    const read = await readCertificate(readFileSync(join(folder, 'authority.pem'), 'utf8'));
    if (!read.ok) throw new Error(read.problem);
    const keys = await keyPairFromPem(readFileSync(join(folder, 'authority-key.pem'), 'utf8'));
    const stolen = await restoreAuthority({ certificate: read.value.der, keys });
    const forged = await pairOf(stolen, 'd:pump:pump-7');
    expect(await reasonOf(server, { clientId, ...forged })).toBe('certificate_not_on_record');
    expect(await reasonOf(server, { clientId: 'd:other:pump:pump-7', ...forged })).toBe('certificate_not_on_record');
    const serverName = 'demo.messaging.test';
    expect(await reasonOf(server, { clientId, serverName, ...forged })).toBe('certificate_not_on_record');
  });

  it('does not make a certificate of the neighbour good for the device of the same name', async () => {
    const pair = await issuedPair(server, 'device:other/pump/pump-7');
    expect(await reasonOf(server, { clientId, ...pair })).toBe('certificate_name_mismatch');
    expect(await reasonOf(server, { clientId: 'd:other:pump:pump-7', ...pair })).toBe('admitted');
  });

  it('cannot be an authority again for an organisation that was removed and made anew', async () => {
    const organisation = 'brief';
    const name = { organisation, type: 'pump', id: 'p' };
    const make = async () => {
      await server.api.organisations.create({ id: organisation });
      await server.api.types.create({ organisation, id: 'pump', security: 'tls-certificate' });
      await server.api.devices.create({ ...name, withoutToken: true });
    };
    await make();
    const pair = await issuedPair(server, 'device:brief/pump/p');
    expect(await reasonOf(server, { clientId: 'd:brief:pump:p', ...pair })).toBe('admitted');
    await server.api.devices.remove(name);
    await server.api.types.remove({ organisation, id: 'pump' });
    await server.api.organisations.remove(organisation);
    await make();
    expect(await reasonOf(server, { clientId: 'd:brief:pump:p', ...pair })).not.toBe('admitted');
    const again = await issuedPair(server, 'device:brief/pump/p');
    expect(await reasonOf(server, { clientId: 'd:brief:pump:p', ...again })).toBe('admitted');
  });

  it('is told plainly when the root key is needed and offline, and organisations of before go on', async () => {
    const key = join(server.directory, 'pki', 'root-key.pem');
    await issuedPair(server, 'device:demo/pump/pump-7');
    renameSync(key, `${key}.kept`);
    const organisation = 'late';
    await server.api.organisations.create({ id: organisation });
    await server.api.types.create({ organisation, id: 'pump' });
    await server.api.devices.create({ organisation, type: 'pump', id: 'p' });
    const csr = await createCertificateRequest({ keys: await generateKeyPair(), commonName: 'p' });
    const issue = () => server.api.certificates.issue(organisation, { principal: 'device:late/pump/p', csr });
    await expect(issue()).rejects.toMatchObject({ code: 'root_key_absent' });
    const pair = await issuedPair(server, 'device:demo/pump/pump-7');
    expect(await reasonOf(server, { clientId, ...pair })).toBe('admitted');
    renameSync(`${key}.kept`, key);
    expect((await issue()).certificate.kind).toBe('issued');
  });
});
