import type { CertificateDocument } from '@sallyport/model';
import { pkcs12Of } from '@sallyport/trust/secrets';
import { Command, Option } from 'commander';
import { type Administration, administers, all } from '../administration.ts';
import { createClientKey } from '../client-key.ts';
import type { Surroundings } from '../invocation.ts';
import { fileBytes, type KeystoreOptions, keyOf, openKeystore, withKeystore } from '../keystore-file.ts';
import { countOption } from '../option-values.ts';
import { withExample, withOrganisation } from '../options.ts';
import { type PairNames, pairNames } from '../pair-names.ts';
import { passphrase } from '../passphrase.ts';
import { pemFile, type ReservedFile, reserveFile, wasRefused } from '../pem-file.ts';
import { principalNamed } from '../principal-named.ts';
import { UsageError } from '../report-failure.ts';
import { authorityNamed } from './ca.ts';
import { type IssueManyOptions, issueMany } from './certificate-issue-many.ts';
import { certificateUnpackCommand } from './certificate-unpack.ts';

interface IssueOptions extends IssueManyOptions {
  readonly csr?: string;
  readonly new?: boolean;
  readonly type?: string;
  readonly claim?: string;
  readonly max?: number;
  readonly pkcs12?: string;
}

interface ListOptions {
  readonly of?: string;
  readonly expiring?: string;
}

const COLUMNS = [
  { heading: 'serial', value: (row: CertificateDocument) => row.serial },
  { heading: 'kind', value: (row: CertificateDocument) => row.kind },
  { heading: 'principal', value: (row: CertificateDocument) => row.principal },
  { heading: 'ends', value: (row: CertificateDocument) => row.notAfter },
  {
    heading: 'revoked',
    value: ({ revokedAt, revokedBy }: CertificateDocument) =>
      revokedAt === undefined ? undefined : `${revokedAt} by ${revokedBy}`,
  },
];

const NAME_HELP = 'TYPE/ID of a device or gateway, or application:ID';

export function certificateCommand(surroundings: Surroundings): Command {
  const command = new Command('certificate').description('Client certificates of devices, gateways and applications');
  withExample(
    withOrganisation(command.command('issue'))
      .argument('[device]', NAME_HELP)
      .description('Issue a certificate of the authority of the organisation, from a request or with a new key')
      .option('--claim <type>', 'a certificate that only enrols new devices of this type; with --max')
      .option('--max <number>', 'how many devices the claim may enrol', countOption)
      .addOption(new Option('--csr <file>', 'certificate request in PEM or DER').conflicts('new'))
      .option('--new', 'make a new key here; it goes into a file that only you can read, and nowhere else')
      .option(
        '--pkcs12 <file>',
        'with --new: write key and certificates to this one file under a password, instead of PEM',
      )
      .option(
        '--password-file <file>',
        'take the password of the PKCS#12 file from the first line of this file; with --type each device gets a file ID.p12 under it',
      )
      .option('--out <prefix>', 'write PREFIX.pem, and with --new PREFIX-key.pem; the id if left out')
      .option('--expires-in <time>', 'end of its life, for example 30d; 90d if left out')
      .option('--type <type>', 'for many devices of this type, each with a new key: with --devices or --all, and --out')
      .addOption(
        new Option('--devices <file>', 'with --type: the ids, one a line; - reads standard input').conflicts('all'),
      )
      .option('--all', 'with --type: every device of the type')
      .addOption(
        new Option('--rate <number>', 'with --type: so many per second at most; 20 if left out').argParser(countOption),
      ),
    'sallyport certificate issue pump/pump-7 --new',
    'sallyport certificate issue pump/pump-7 --csr pump-7.csr --out pump-7',
    'sallyport certificate issue pump/pump-7 --new --pkcs12 pump-7.p12',
    'sallyport certificate issue --claim pump --max 500 --new --expires-in 30d',
    'sallyport certificate issue --type pump --devices ids.txt --out pumps',
  ).action(
    administers(surroundings, async (administration, text: string | undefined, options: IssueOptions) => {
      const { management, output } = administration;
      if (options.type !== undefined) return issueMany(administration, options.type, text, options);
      if (options.csr === undefined && !options.new) {
        throw new UsageError('There is nothing to certify.', 'Give --csr FILE, or --new to have a key made.');
      }
      if (options.claim !== undefined) return issueClaim(administration, options.claim, text, options);
      if (text === undefined) throw new UsageError('For whom?', 'Name a device, or give --claim TYPE with --max.');
      const { organisation, principal, id } = await principalNamed(administration, text);
      if (options.pkcs12 !== undefined) return issuePkcs12(administration, { organisation, principal, id }, options);
      const { certificateFile, keyFile } = pairNames(options.out, id);
      const { own, csr, chainFile, refused } = await requestFor(id, { certificateFile, keyFile }, options);
      const { certificate, chainPem } = await management.certificates
        .issue(organisation, {
          principal,
          csr,
          ...(options.expiresIn === undefined ? {} : { expiresIn: options.expiresIn }),
        })
        .catch(refused);
      await chainFile.fill(chainPem);
      output.document({
        ...certificate,
        certificateFile,
        ...(own ? { keyFile } : {}),
      });
    }),
  );
  withExample(
    withOrganisation(command.command('list'))
      .description('Show what is on record, the newest first, the ended ones too')
      .option('--of <device>', NAME_HELP)
      .option('--expiring <time>', 'only those in force that end within this time'),
    'sallyport certificate list --expiring 30d',
  ).action(
    administers(surroundings, async (administration, { of, expiring }: ListOptions) => {
      const { management, output } = administration;
      const named = of === undefined ? undefined : await principalNamed(administration, of);
      const organisation = named?.organisation ?? (await administration.organisation());
      const filter = {
        ...(named ? { principal: named.principal } : {}),
        ...(expiring === undefined ? {} : { expiring }),
      };
      output.list(await all((page) => management.certificates.list(organisation, { ...filter, ...page })), COLUMNS);
    }),
  );
  withExample(
    withOrganisation(command.command('revoke [serial]'))
      .description('Revoke a certificate; sessions that stand on it end, and it is never good again')
      .option('--ca <id>', 'the certificate is of this authority of your own')
      .addOption(new Option('--file <file>', 'revoke the certificate in this file').conflicts('ca')),
    'sallyport certificate revoke 5d0c7ab2e1f0443f9a1be0c6b7d2a915',
    'sallyport certificate revoke 84 --ca 3f2a9c0d81b7e645',
  ).action(
    administers(
      surroundings,
      async (administration, serial: string | undefined, options: { readonly ca?: string; readonly file?: string }) => {
        const { management, output } = administration;
        const organisation = await administration.organisation();
        const { revokeForeign } = management.certificates;
        if (options.file !== undefined) {
          if (serial !== undefined) throw new UsageError('The file says which certificate.', 'Leave the serial out.');
          const certificate = await pemFile(options.file, 'CERTIFICATE');
          output.document(await revokeByFile(administration, organisation, certificate));
          return;
        }
        if (serial === undefined) throw new UsageError('Which one?', 'Give its serial, or --file FILE.');
        if (options.ca === undefined) {
          output.document(await revokeOnRecord(administration, organisation, serial));
          return;
        }
        const { id } = await authorityNamed(administration, options.ca);
        output.document(await revokeForeign(organisation, { authority: id, serial }));
      },
    ),
  );
  withExample(
    withKeystore(withOrganisation(command.command('pin')), { keys: true })
      .argument('<device>', NAME_HELP)
      .argument('<file>', 'certificate in PEM or DER, or the JKS or PKCS#12 file of the device')
      .description('Let one certificate prove the device, whoever signed it: for self-signed ones'),
    'sallyport certificate pin pump/pump-7 client.pem',
  ).action(
    administers(surroundings, async (administration, text: string, file: string, options: KeystoreOptions) => {
      const { organisation, principal } = await principalNamed(administration, text);
      const { bytes, isKeystore } = await fileBytes(file);
      const certificate = isKeystore
        ? keyOf(await openKeystore(file, bytes, options, administration.terminal), file, options.alias).chainPem
        : await pemFile(file, 'CERTIFICATE');
      administration.output.document(
        await administration.management.certificates.pin(organisation, { principal, certificate }),
      );
    }),
  );
  command.addCommand(certificateUnpackCommand(surroundings));
  return command;
}

/** The key never lies on the disk in clear: it is made in memory and goes into the file under the password. */
async function issuePkcs12(
  { management, output, terminal }: Administration,
  { organisation, principal, id }: { readonly organisation: string; readonly principal: string; readonly id: string },
  { pkcs12 = '', new: isNew, passwordFile, expiresIn }: IssueOptions,
): Promise<void> {
  if (!isNew) throw new UsageError('PKCS#12 holds a key, and there is none.', 'Add --new to have one made.');
  const question = 'Password of the PKCS#12 file';
  const password = await passphrase({ question, file: passwordFile, isNew: true }, terminal);
  const own = await createClientKey(id);
  const file = await reserveFile(pkcs12, { secret: true });
  const { certificate, chainPem } = await management.certificates
    .issue(organisation, {
      principal,
      csr: own.csrPem,
      ...(expiresIn === undefined ? {} : { expiresIn }),
    })
    .catch(async (problem: unknown) => {
      await file.giveUp();
      throw problem;
    });
  await file.fill(await pkcs12Of({ keyPem: own.keyPem, chainPem, password, name: id }));
  output.document({ ...certificate, pkcs12File: pkcs12 });
}

/**
 * The request of the file that was named; else one for a new key, which is safe in its file before anything is issued for it. The file of
 * the certificate is there as well; what was made goes again if the server refuses.
 */
async function requestFor(name: string, at: PairNames, { csr }: IssueOptions) {
  const named = csr === undefined ? undefined : await pemFile(csr, 'CERTIFICATE REQUEST');
  const made = named === undefined ? await createClientKey(name) : undefined;
  const chainFile = await reserveFile(at.certificateFile, { secret: false });
  let keyFile: ReservedFile | undefined;
  try {
    keyFile = made && (await reserveFile(at.keyFile, { secret: true }));
    if (made) await keyFile?.fill(made.keyPem);
  } catch (problem) {
    await chainFile.giveUp();
    throw problem;
  }
  return {
    own: made !== undefined,
    csr: named ?? made?.csrPem ?? '',
    chainFile,
    async refused(problem: unknown): Promise<never> {
      await chainFile.giveUp();
      if (wasRefused(problem)) await keyFile?.giveUp();
      throw problem;
    },
  };
}

/** A claim is for nobody, so its files are named for the type. */
async function issueClaim(
  { management, output, organisation: organisationOf }: Administration,
  type: string,
  device: string | undefined,
  options: IssueOptions,
): Promise<void> {
  if (device !== undefined) throw new UsageError('A claim is for no single device.', `Leave ${device} out.`);
  if (options.max === undefined) throw new UsageError('How many devices may it enrol?', 'Give --max NUMBER.');
  const { certificateFile, keyFile } = pairNames(options.out, `claim-${type}`);
  const organisation = await organisationOf();
  const { own, csr, chainFile, refused } = await requestFor(`claim:${type}`, { certificateFile, keyFile }, options);
  const { claim, chainPem } = await management.enrolment
    .issueClaim(organisation, {
      type,
      maximum: options.max,
      csr,
      ...(options.expiresIn === undefined ? {} : { expiresIn: options.expiresIn }),
    })
    .catch(refused);
  await chainFile.fill(chainPem);
  output.document({
    ...claim.certificate,
    type,
    maximum: claim.maximum,
    certificateFile,
    ...(own ? { keyFile } : {}),
  });
}

/** Issued and pinned ones are revoked by their record: a pin is not one of issuer and serial. */
async function revokeOnRecord(
  { management }: Administration,
  organisation: string,
  serial: string,
): Promise<CertificateDocument> {
  const found = await all((page) => management.certificates.list(organisation, { serial, ...page }));
  const onRecord = found.filter(({ kind }) => kind !== 'foreign');
  const inForce = onRecord.filter(({ revokedAt }) => revokedAt === undefined);
  const [only = onRecord[0]] = inForce;
  if (only === undefined) {
    throw new UsageError(
      `No certificate ${serial} is on record.`,
      'Add --ca ID if an authority of your own issued it; `sallyport certificate list` shows what is on record.',
    );
  }
  if (inForce.length > 1) {
    throw new UsageError(`${inForce.length} certificates have the serial ${serial}.`, 'Use --file with the right one.');
  }
  return management.certificates.revoke(organisation, only.id);
}

async function revokeByFile(
  { management }: Administration,
  organisation: string,
  certificate: string,
): Promise<CertificateDocument> {
  const foreign = await management.certificates.revokeForeign(organisation, { certificate });
  // The same certificate may be on record as issued or pinned; by the file all of it is meant.
  const same = await all((page) => management.certificates.list(organisation, { serial: foreign.serial, ...page }));
  for (const { id, kind, issuer, revokedAt } of same) {
    if (kind !== 'foreign' && issuer === foreign.issuer && revokedAt === undefined) {
      await management.certificates.revoke(organisation, id);
    }
  }
  return foreign;
}
