import type { ServerCertificateDocument, ServerCertificateRequestDocument } from '@sallyport/model';
import { z } from 'zod';
import { at } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { fields, type Route, route } from '../route.ts';
import { organisationId } from '../schemas.ts';

const SERVER = '/server-certificate';
const ORGANISATION = '/organisations/:organisation/server-certificate';
const params = fields({ organisation: organisationId });
const text = z.string();
const pem = (label: string, description: string) =>
  z
    .string()
    .max(65_536, 'is too long')
    .refine((value) => value.includes(`${label}-----`), `holds no PEM block of a ${label.toLowerCase()}`)
    .describe(description);
const given = fields({
  chain: pem('CERTIFICATE', 'PEM: the certificate of the server, then each authority that signed the one before.'),
  key: pem(
    'PRIVATE KEY',
    'Its private key in PEM, without a passphrase. It is never shown again. Left out: the certificate is for the key of this server, as it was asked for.',
  ).exactOptional(),
});
const requested = fields({
  names: z
    .array(text.min(1).max(253, 'is too long'))
    .max(100, 'are too many')
    .describe('Host names and addresses; left out, those of the own certificate of this server.')
    .exactOptional(),
});
const request: z.ZodType<ServerCertificateRequestDocument> = z
  .object({ csr: text })
  .meta({ id: 'ServerCertificateRequest' });
const answer: z.ZodType<ServerCertificateDocument> = z
  .object({
    organisation: text.exactOptional(),
    source: z.enum(['own', 'imported']),
    subject: text,
    issuer: text,
    serial: text,
    fingerprint: text,
    notBefore: at,
    notAfter: at,
    names: z.array(text).readonly(),
    chainPem: text,
    warnings: z.array(text).readonly(),
  })
  .meta({ id: 'ServerCertificate' });

type Params = z.infer<typeof params>;
type Given = z.infer<typeof given>;
type Requested = z.infer<typeof requested>;

const CHECKED =
  'Checked first: key, order and signatures of the chain, dates, purposes, names. All listeners show it from the next handshake on; live connections stay. It is not renewed by itself.';

/** The certificates that the server shows in its handshakes. */
export function serverCertificateRoutes({ serverCertificates: desk }: Services): readonly Route[] {
  return [
    route<unknown, unknown, unknown, ServerCertificateDocument>({
      method: 'GET',
      path: SERVER,
      name: 'getServerCertificate',
      tag: 'certificates',
      summary: 'The certificate that the server shows',
      needs: 'reader',
      answer: { schema: answer },
      run: () => desk.show(),
    }),
    route<unknown, unknown, Given, ServerCertificateDocument>({
      method: 'PUT',
      path: SERVER,
      name: 'setServerCertificate',
      tag: 'certificates',
      summary: 'Show a certificate of another authority',
      description: CHECKED,
      needs: 'administrator',
      body: given,
      answer: { schema: answer },
      run: ({ body, by }) => desk.set({ ...body, by }),
    }),
    route<unknown, unknown, unknown, ServerCertificateDocument>({
      method: 'DELETE',
      path: SERVER,
      name: 'resetServerCertificate',
      tag: 'certificates',
      summary: 'Show the certificate of this server again',
      description: 'The imported one is forgotten with its key. Live connections stay.',
      needs: 'administrator',
      answer: { schema: answer },
      run: ({ by }) => desk.reset({ by }),
    }),
    route<unknown, unknown, Requested, ServerCertificateRequestDocument>({
      method: 'POST',
      path: `${SERVER}/request`,
      name: 'requestServerCertificate',
      tag: 'certificates',
      summary: 'A certificate request for the key of this server',
      description: 'For another authority to sign. The key stays on the server; set what comes back without a key.',
      needs: 'administrator',
      body: requested,
      answer: { schema: request },
      run: ({ body }) => desk.request(body),
    }),
    route<Params, unknown, unknown, ServerCertificateDocument>({
      method: 'GET',
      path: ORGANISATION,
      name: 'getOrganisationServerCertificate',
      tag: 'certificates',
      summary: 'The certificate that clients are shown who ask for a host name of the organisation',
      needs: 'reader',
      params,
      answer: { schema: answer },
      problems: [404],
      run: ({ params: { organisation } }) => desk.show(organisation),
    }),
    route<Params, unknown, Given, ServerCertificateDocument>({
      method: 'PUT',
      path: ORGANISATION,
      name: 'setOrganisationServerCertificate',
      tag: 'certificates',
      summary: 'Show a certificate of its own for host names `ORGANISATION.…`',
      description: CHECKED,
      needs: 'administrator',
      params,
      body: given,
      answer: { schema: answer },
      problems: [404],
      run: ({ params: { organisation }, body, by }) => desk.set({ organisation, ...body, by }),
    }),
    route<Params, unknown, unknown, ServerCertificateDocument>({
      method: 'DELETE',
      path: ORGANISATION,
      name: 'resetOrganisationServerCertificate',
      tag: 'certificates',
      summary: 'Show the certificate of the server for the host names of the organisation again',
      needs: 'administrator',
      params,
      answer: { schema: answer },
      problems: [404],
      run: ({ params: { organisation }, by }) => desk.reset({ organisation, by }),
    }),
  ];
}
