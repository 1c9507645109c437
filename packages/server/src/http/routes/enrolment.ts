import type { ClaimDocument, NewClaimDocument, NewEnrolmentCode } from '@sallyport/model';
import { z } from 'zod';
import { at, certificateAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { certificateDocument } from '../documents.ts';
import { fields, type Route, route } from '../route.ts';
import { deviceId, expiresIn, expiry, organisationId, requestPem, typeId } from '../schemas.ts';
import { requirePace } from './certificates.ts';

const DEVICE = '/organisations/:organisation/types/:type/devices/:device/enrolment-code';
const device = fields({ organisation: organisationId, type: typeId, device: deviceId });
const within = fields({ organisation: organisationId });
/** A code that lies around for longer is a token without a device. */
const LONGEST_CODE = 30 * 86_400_000;
const DEFAULT_CODE = '24h';
const newCode = fields({
  expiresIn: expiresIn.describe('How long the code may be used; 24h if left out, 30d at most.').exactOptional(),
});
const newClaim = fields({
  type: typeId,
  maximum: z.int().min(1).max(1_000_000).describe('How many new devices it may enrol.'),
  csr: requestPem,
  expiresIn: expiresIn.describe('End of its life, for example 30d; 90d if left out.').exactOptional(),
});
const codeAnswer: z.ZodType<NewEnrolmentCode> = z
  .object({
    principal: z.string(),
    user: z.string().describe('User name of HTTP Basic.'),
    code: z.string().describe('Shown this once. Password of HTTP Basic.'),
    expiresAt: at,
  })
  .meta({ id: 'NewEnrolmentCode' });
const claimAnswer: z.ZodType<ClaimDocument> = z
  .object({ certificate: certificateAnswer, type: z.string(), maximum: z.int(), used: z.int() })
  .meta({ id: 'Claim' });
const newClaimAnswer: z.ZodType<NewClaimDocument> = z
  .object({ claim: claimAnswer, pem: z.string(), chainPem: z.string() })
  .meta({ id: 'NewClaim' });

type Device = z.infer<typeof device>;

/** What devices enrol with: codes and claim certificates. */
export function enrolmentRoutes({ registry, certificates }: Services, now: () => number): readonly Route[] {
  const principalOf = async ({ organisation, type, device }: Device) => {
    const found = await registry.devices.get({ organisation, type, id: device });
    return { principal: `${found.class}:${organisation}/${type}/${device}`, user: `${type}/${device}` };
  };
  return [
    route<Device, unknown, z.infer<typeof newCode>, NewEnrolmentCode>({
      method: 'POST',
      path: DEVICE,
      name: 'createEnrolmentCode',
      tag: 'certificates',
      summary: 'Let a device fetch its first certificate over EST, once',
      description: 'The code is in this answer and nowhere else; one of before ends.',
      needs: 'operator',
      params: device,
      body: newCode,
      answer: { status: 201, schema: codeAnswer },
      secret: true,
      run: async ({ params, body, by }) => {
        const { principal, user } = await principalOf(params);
        const { expiresAt = now() } = expiry(body.expiresIn ?? DEFAULT_CODE, now());
        const end = Math.min(expiresAt, now() + LONGEST_CODE);
        const { code } = await registry.enrolment.createCode({ principal, expiresAt: end, by });
        return { principal, user, code, expiresAt: new Date(end).toISOString() };
      },
    }),
    route<Device>({
      method: 'DELETE',
      path: DEVICE,
      name: 'revokeEnrolmentCode',
      tag: 'certificates',
      summary: 'End the enrolment code of a device that has not used it',
      needs: 'operator',
      params: device,
      run: async ({ params, by }) => {
        const { principal } = await principalOf(params);
        await registry.enrolment.revokeCode({ principal, by });
      },
    }),
    route<z.infer<typeof within>, unknown, z.infer<typeof newClaim>, NewClaimDocument>({
      method: 'POST',
      path: '/organisations/:organisation/claim-certificates',
      name: 'issueClaimCertificate',
      tag: 'certificates',
      summary: 'Issue a certificate that only enrols new devices of one type, so many',
      needs: 'operator',
      params: within,
      body: newClaim,
      answer: { status: 201, schema: newClaimAnswer },
      problems: [409],
      run: async ({ params, body: { expiresIn: life, ...body }, by, reply }) => {
        requirePace(certificates, by, reply);
        const { expiresAt } = expiry(life, now());
        const validity = expiresAt === undefined ? {} : { validity: expiresAt - now() };
        const { claim, pem, chainPem } = await certificates.issueClaim({ ...params, ...body, ...validity, by });
        return { claim: { ...claim, certificate: certificateDocument(claim.certificate) }, pem, chainPem };
      },
    }),
  ];
}
