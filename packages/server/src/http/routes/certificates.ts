import {
  type CertificateDocument,
  Failure,
  type IssuedCertificateDocument,
  type Page,
  parsePrincipal,
} from '@sallyport/model';
import { canonicalSerial } from '@sallyport/trust';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { certificateAnswer, issuedCertificateAnswer, pageAnswer } from '../answers.ts';
import type { CertificateDesk, Services } from '../api-options.ts';
import { certificateDocument, pageOf } from '../documents.ts';
import { fields, type Route, route } from '../route.ts';
import {
  certificatePem,
  expiresIn,
  expiry,
  organisationId,
  pageQuery,
  principalText,
  requestPem,
  serial,
  sha256,
} from '../schemas.ts';

const PATH = '/organisations/:organisation/certificates';
const within = fields({ organisation: organisationId });
const params = fields({
  organisation: organisationId,
  certificate: z
    .string()
    .regex(/^[0-9a-z]{12}$/, 'is no id of a certificate')
    .describe('Id of a certificate.'),
});
const query = fields({
  ...pageQuery,
  principal: principalText.exactOptional(),
  serial: serial.exactOptional(),
  expiring: expiresIn.describe('Only those in force that end within this time, for example 30d.').exactOptional(),
});
const issued = fields({ principal: principalText, csr: requestPem, expiresIn: expiresIn.exactOptional() });
const pinned = fields({ principal: principalText, certificate: certificatePem });
const ended = fields({
  certificate: certificatePem.exactOptional(),
  authority: sha256.exactOptional(),
  serial: serial.exactOptional(),
}).refine(
  ({ certificate, authority, serial }) =>
    certificate === undefined
      ? authority !== undefined && serial !== undefined
      : authority === undefined && serial === undefined,
  'needs the certificate, or authority and serial',
);

type Within = z.infer<typeof within>;
type Params = z.infer<typeof params>;

/** Client certificates of an organisation: issue, pin, list, revoke. */
export function certificateRoutes({ registry, certificates: desk }: Services, now: () => number): readonly Route[] {
  const { certificates } = registry;
  return [
    route<Within, z.infer<typeof query>, unknown, Page<CertificateDocument>>({
      method: 'GET',
      path: PATH,
      name: 'listCertificates',
      tag: 'certificates',
      summary: 'Client certificates on record, newest first, the ended ones too',
      needs: 'reader',
      params: within,
      query,
      answer: { schema: pageAnswer(certificateAnswer) },
      run: async ({ params, query: { expiring, serial, ...rest } }) => {
        const { expiresAt } = expiry(expiring, now());
        const page = await certificates.list({
          ...params,
          ...rest,
          ...(serial === undefined ? {} : { serial: canonicalSerial(serial) }),
          ...(expiresAt === undefined ? {} : { endingBefore: expiresAt }),
        });
        return pageOf(page, certificateDocument);
      },
    }),
    route<Within, unknown, z.infer<typeof issued>, IssuedCertificateDocument>({
      method: 'POST',
      path: PATH,
      name: 'issueCertificate',
      tag: 'certificates',
      summary: 'Issue a client certificate from a certificate request',
      description: 'The name is that of the principal, whatever the request says. 90 days, unless you say otherwise.',
      needs: 'operator',
      params: within,
      body: issued,
      answer: { status: 201, schema: issuedCertificateAnswer },
      problems: [409],
      run: async ({ params, body: { principal, csr, expiresIn }, by, reply }) => {
        requireOwn(params.organisation, principal);
        requirePace(desk, by, reply);
        const { expiresAt } = expiry(expiresIn, now());
        const validity = expiresAt === undefined ? {} : { validity: expiresAt - now() };
        const { record, pem, chainPem } = await desk.issue({ principal, csr, ...validity, by });
        return { certificate: certificateDocument(record), pem, chainPem };
      },
    }),
    route<Within, unknown, z.infer<typeof pinned>, CertificateDocument>({
      method: 'POST',
      path: '/organisations/:organisation/pinned-certificates',
      name: 'pinCertificate',
      tag: 'certificates',
      summary: 'Let one certificate prove a principal, whoever signed it',
      needs: 'operator',
      params: within,
      body: pinned,
      answer: { status: 201, schema: certificateAnswer },
      problems: [409],
      run: async ({ params, body, by }) => {
        requireOwn(params.organisation, body.principal);
        return certificateDocument(await desk.pin({ ...body, by }));
      },
    }),
    route<Within, unknown, z.infer<typeof ended>, CertificateDocument>({
      method: 'POST',
      path: '/organisations/:organisation/revoked-certificates',
      name: 'revokeForeignCertificate',
      tag: 'certificates',
      summary: 'Revoke a certificate of an authority of your own',
      description: 'Sessions that stand on it, or on one below it, end at once. This cannot be undone.',
      needs: 'operator',
      params: within,
      body: ended,
      answer: { status: 201, schema: certificateAnswer },
      run: async ({ params, body: { certificate, authority, serial }, by }) => {
        const named =
          certificate === undefined ? { authority: authority ?? '', serial: serial ?? '' } : { certificate };
        return certificateDocument(await desk.revokeForeign({ ...params, ...named, by }));
      },
    }),
    route<Params, unknown, unknown, CertificateDocument>({
      method: 'DELETE',
      path: `${PATH}/:certificate`,
      name: 'revokeCertificate',
      tag: 'certificates',
      summary: 'Revoke a client certificate',
      description: 'Sessions that stand on it end at once. It stays on record, so that a refusal can say when.',
      needs: 'operator',
      params,
      answer: { schema: certificateAnswer },
      run: async ({ params: { organisation, certificate }, by }) =>
        certificateDocument(await certificates.revoke({ organisation, id: certificate, by })),
    }),
  ];
}

/**
 * A stolen token must not fill the registry, nor one operator keep the key of the authority busy for all.
 *
 * @throws Failure `too_many_requests`, with the time to wait in the answer
 */
export function requirePace(desk: Pick<CertificateDesk, 'waitToIssue'>, by: string, reply: FastifyReply): void {
  const wait = desk.waitToIssue(by);
  if (wait === 0) return;
  reply.header('retry-after', String(Math.ceil(wait / 1000)));
  throw new Failure(
    'too_many_requests',
    `${by} has certificates issued faster than enrolment.maximumIssueRate allows.`,
  );
}

/** An organisation's path must not reach into another organisation by the name of a principal. */
function requireOwn(organisation: string, written: string): void {
  const principal = parsePrincipal(written);
  if (!principal.ok) throw new Failure('invalid_request', `principal: ${principal.problem}.`);
  const { value } = principal;
  if (value.kind === 'operator' || value.organisation !== organisation) {
    throw new Failure('not_found', `Organisation "${organisation}" has no ${written}.`);
  }
}
