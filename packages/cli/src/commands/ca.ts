import {
  type AuthorityDocument,
  Failure,
  ON_UNKNOWN,
  type OnUnknown,
  REVOCATION_MODES,
  type RevocationChange,
  type RevocationMode,
} from '@sallyport/model';
import { Command, Option } from 'commander';
import { type Administration, administers, all } from '../administration.ts';
import type { Surroundings } from '../invocation.ts';
import { fileBytes, type KeystoreOptions, openKeystore, trustedOf, withKeystore } from '../keystore-file.ts';
import { withExample, withOrganisation } from '../options.ts';
import { pemFile } from '../pem-file.ts';
import { UsageError } from '../report-failure.ts';
import { caRootCommand } from './ca-root.ts';
import { caServerCertificateCommand } from './ca-server-certificate.ts';

/** Digits of a SHA-256 that people compare and type. */
const SHORT = 16;
const EXAMPLE_ID = '3f2a9c0d81b7e645';

const COLUMNS = [
  { heading: 'id', value: (row: AuthorityDocument) => row.id.slice(0, SHORT) },
  { heading: 'subject', value: (row: AuthorityDocument) => row.subject },
  { heading: 'ends', value: (row: AuthorityDocument) => row.notAfter },
  {
    heading: 'revocation',
    value: ({ revocation }: AuthorityDocument) =>
      revocation === undefined || revocation.mode === 'off'
        ? revocation?.mode
        : `${revocation.mode}, ${revocation.onUnknown}`,
  },
  {
    heading: 'added',
    value: ({ builtIn, succeededBy, createdAt, createdBy }: AuthorityDocument) =>
      builtIn
        ? succeededBy === undefined
          ? 'of this server'
          : `of this server, succeeded by ${succeededBy.slice(0, SHORT)}`
        : `${createdAt} by ${createdBy}`,
  },
];

interface SetOptions extends RevocationOptions {
  readonly registration?: 'off' | 'review' | 'automatic';
}

export function caCommand(surroundings: Surroundings): Command {
  const command = new Command('ca').description('Certificate authorities that an organisation trusts');
  withExample(
    withOrganisation(command.command('list')).description('Show all, that of this server first'),
    'sallyport ca list',
  ).action(
    administers(surroundings, async ({ management, output, organisation }) => {
      const name = await organisation();
      output.list(await all((page) => management.authorities.list(name, page)), COLUMNS);
    }),
  );
  withExample(
    withKeystore(withRevocation(withOrganisation(command.command('add <file>'))), { keys: false }).description(
      'Trust the authority in a PEM or DER file, or every one of a JKS or PKCS#12 trust store; clients may use its certificates at once',
    ),
    'sallyport ca add rootCA_certificate.pem',
    'sallyport ca add rootCA_certificate.pem --revocation crl',
    'sallyport ca add truststore.jks --store-password-file password --alias plant-root',
  ).action(
    administers(surroundings, async (administration, file: string, options: RevocationOptions & KeystoreOptions) => {
      const { management, output, organisation } = administration;
      const { bytes, isKeystore } = await fileBytes(file);
      if (isKeystore) return addTrustStore(administration, { file, bytes }, options);
      const certificate = await pemFile(file, 'CERTIFICATE');
      const { pem: _, ...added } = await management.authorities.add(
        await organisation(),
        certificate,
        revocationOf(options),
      );
      output.document(added);
    }),
  );
  withExample(
    withRevocation(withOrganisation(command.command('set <id>')))
      .addOption(
        new Option('--registration <mode>', 'what becomes of unknown devices that it has certified').choices([
          'off',
          'review',
          'automatic',
        ]),
      )
      .description(
        'Change what is asked about the certificates of an authority that was added; live sessions stay unless they are known to be revoked',
      ),
    `sallyport ca set ${EXAMPLE_ID} --revocation crl-and-ocsp --on-unknown soft`,
    `sallyport ca set ${EXAMPLE_ID} --registration review`,
  ).action(
    administers(surroundings, async (administration, text: string, options: SetOptions) => {
      const { management, output, organisation } = administration;
      const change = revocationOf(options);
      const { registration } = options;
      if (change === undefined && registration === undefined) {
        throw new UsageError('Nothing is to be changed.', 'Give --registration, --revocation or --on-unknown.');
      }
      const { id } = await authorityNamed(administration, text);
      const name = await organisation();
      if (registration !== undefined) await management.enrolment.setRegistration(name, id, registration);
      const { pem: _, ...changed } =
        change === undefined
          ? await management.authorities.get(name, id)
          : await management.authorities.update(name, id, change);
      output.document(changed);
    }),
  );
  withExample(
    withOrganisation(command.command('show <id>')).description('Show an authority, and how its revocation lists stand'),
    `sallyport ca show ${EXAMPLE_ID}`,
  ).action(
    administers(surroundings, async (administration, text: string) => {
      const { management, output, organisation } = administration;
      const { id } = await authorityNamed(administration, text);
      const { pem: _, ...shown } = await management.authorities.get(await organisation(), id);
      output.document(shown);
    }),
  );
  withExample(
    withOrganisation(command.command('refresh <id>')).description(
      'Fetch the revocation lists of an authority and ask its responders now; it also happens by itself',
    ),
    `sallyport ca refresh ${EXAMPLE_ID}`,
  ).action(
    administers(surroundings, async (administration, text: string) => {
      const { management, output, organisation } = administration;
      const { id } = await authorityNamed(administration, text);
      const { pem: _, ...shown } = await management.authorities.fetchNews(await organisation(), id);
      output.document(shown);
    }),
  );
  withExample(
    withOrganisation(command.command('remove <id>')).description(
      'Trust an authority no more; sessions that lean on it end',
    ),
    `sallyport ca remove ${EXAMPLE_ID}`,
  ).action(
    administers(surroundings, async (administration, text: string) => {
      const { management, output, organisation } = administration;
      const { id } = await authorityNamed(administration, text);
      await management.authorities.remove(await organisation(), id);
      output.text(`Removed authority ${id}.`, { removed: id });
    }),
  );
  withExample(
    withOrganisation(command.command('export <id>')).description('Show the certificate of an authority in PEM'),
    `sallyport ca export ${EXAMPLE_ID} > authority.pem`,
  ).action(
    administers(surroundings, async (administration, text: string) => {
      const authority = await authorityNamed(administration, text);
      administration.output.text(authority.pem.trimEnd(), authority);
    }),
  );
  command.addCommand(caServerCertificateCommand(surroundings));
  command.addCommand(caRootCommand(surroundings));
  return command;
}

/** Adds what a trust store holds, one after the other; what is refused is told and does not hold up the others. */
async function addTrustStore(
  { management, output, organisation, terminal }: Administration,
  { file, bytes }: { readonly file: string; readonly bytes: Uint8Array },
  options: RevocationOptions & KeystoreOptions,
): Promise<void> {
  const trusted = trustedOf(await openKeystore(file, bytes, options, terminal), file, options.alias);
  const name = await organisation();
  const added: AuthorityDocument[] = [];
  const refused: string[] = [];
  for (const { name: alias, pem } of trusted) {
    try {
      added.push(await management.authorities.add(name, pem, revocationOf(options)));
    } catch (problem) {
      if (!(problem instanceof Failure) || !['invalid_request', 'already_exists'].includes(problem.code)) throw problem;
      refused.push(alias);
      output.note(`"${alias}" was not added: ${problem.message}`);
    }
  }
  output.list(added, COLUMNS);
  if (added.length > 0) return;
  throw new Failure('invalid_request', `None of the ${refused.length} authorities in ${file} was added.`, {
    cure: 'Each was refused for the reason above.',
  });
}

interface RevocationOptions {
  readonly revocation?: RevocationMode;
  readonly onUnknown?: OnUnknown;
  readonly crlUrl?: string;
  readonly ocspUrl?: string;
}

function withRevocation(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--revocation <mode>',
        'what is asked before one of its certificates counts; off if never said',
      ).choices([...REVOCATION_MODES]),
    )
    .addOption(
      new Option(
        '--on-unknown <policy>',
        'while that cannot be known: hard refuses, soft lets pass; hard if never said',
      ).choices([...ON_UNKNOWN]),
    )
    .option('--crl-url <url>', 'its revocation list lies here, not where certificates say; "none" ends it')
    .option('--ocsp-url <url>', 'its OCSP responder answers here, not where certificates say; "none" ends it');
}

function revocationOf({ revocation, onUnknown, crlUrl, ocspUrl }: RevocationOptions): RevocationChange | undefined {
  const change = {
    ...(revocation === undefined ? {} : { mode: revocation }),
    ...(onUnknown === undefined ? {} : { onUnknown }),
    ...(crlUrl === undefined ? {} : { listUrl: crlUrl === 'none' ? null : crlUrl }),
    ...(ocspUrl === undefined ? {} : { responderUrl: ocspUrl === 'none' ? null : ocspUrl }),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

/** The authority whose id begins so; enough digits that nobody removes another by a slip. */
export async function authorityNamed(
  { management, organisation }: Administration,
  text: string,
): Promise<AuthorityDocument> {
  const name = await organisation();
  const wanted = text.toLowerCase().replace(/:/g, '');
  if (!/^[0-9a-f]{8,64}$/.test(wanted)) {
    throw new UsageError(`"${text}" names no authority.`, 'Write 8 or more digits of its id; `sallyport ca list`.');
  }
  const found = (await all((page) => management.authorities.list(name, page))).filter(({ id }) =>
    id.startsWith(wanted),
  );
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new UsageError(
    `${found.length === 0 ? 'No authority has' : 'Several authorities have'} an id that begins with ${text}.`,
    '`sallyport ca list` shows them all.',
  );
}
