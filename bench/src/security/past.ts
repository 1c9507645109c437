import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { loadConfiguration, openInstallation } from '@sallyport/server';
import { SALLYPORT_ORGANISATION } from '../peers/sallyport.ts';

/** Rows of one insert: every value is a parameter, and SQLite takes 32,766 of them. */
const AT_ONCE = 1000;
const HALF_YEAR = 180 * 86_400_000;

/**
 * Gives a data directory a past before its server starts: an organisation whose authority has issued and revoked so many
 * certificates, each with its row in the registry and on the list.
 */
export async function makePast(folder: string, revoked: number): Promise<void> {
  const configuration = loadConfiguration({ overrides: { dataDirectory: join(folder, 'data') } });
  const { registry, authority, database, close } = await openInstallation({ configuration });
  try {
    const organisation = SALLYPORT_ORGANISATION;
    await registry.organisations.create({
      id: organisation,
      name: organisation,
      security: 'tls-optional',
      by: 'system',
    });
    const { certificate } = await authority.issuerOf(organisation);
    const now = Date.now();
    for (let done = 0; done < revoked; done += AT_ONCE) {
      const serials = Array.from({ length: Math.min(AT_ONCE, revoked - done) }, () => randomBytes(16).toString('hex'));
      const issuer = { issuer_name_hash: certificate.subjectNameHash };
      await database.transaction(async (transaction) => {
        await transaction
          .insertInto('certificates')
          .values(
            serials.map((serial) => ({
              ...issuer,
              id: serial,
              organisation,
              principal: `device:${organisation}/past/${serial}`,
              kind: 'issued',
              fingerprint: serial + serial,
              issuer: certificate.subject,
              serial,
              subject: 'CN=d:past:x',
              not_before: now,
              not_after: now + HALF_YEAR,
              created_at: now,
              created_by: 'system',
              revoked_at: now,
              revoked_by: 'system',
            })),
          )
          .execute();
        await transaction
          .insertInto('revoked_certificates')
          .values(serials.map((serial) => ({ ...issuer, serial, not_after: now + HALF_YEAR, revoked_at: now })))
          .execute();
      });
    }
  } finally {
    await close();
  }
}
