import {
  type ApplicationDocument,
  type AuthorityDocument,
  type CertificateDocument,
  type CredentialDocument,
  type DeviceDocument,
  type DeviceTypeDocument,
  FAILURES,
  type FailureCode,
  type FieldProblem,
  type IssuedCertificateDocument,
  type IssuedCredential,
  type Metadata,
  ON_UNKNOWN,
  type OperatorDocument,
  type OrganisationDocument,
  type Page,
  type PolicyVersionDocument,
  type Problem,
  REVOCATION_MODES,
  type SessionDocument,
} from '@sallyport/model';
import { z } from 'zod';
import {
  applicationRole,
  commands,
  deviceClass,
  encryption,
  gatewayRole,
  operatorRole,
  security,
  typeLimits,
  unlockMode,
  unlockSettings,
} from './schemas.ts';

/** The server made it itself: its form needs no check, only a description. */
export const at = z.string().meta({ description: 'ISO 8601, UTC.', format: 'date-time' });
const metadata: z.ZodType<Metadata> = z.record(z.string(), z.unknown());
const text = z.string();

export const organisationAnswer: z.ZodType<OrganisationDocument> = z
  .object({ id: text, name: text, security, createdAt: at, suspendedAt: at.exactOptional() })
  .meta({
    id: 'Organisation',
    examples: [{ id: 'demo', name: 'Demo', security: 'tls-token', createdAt: '2026-01-31T12:00:00.000Z' }],
  });

export const typeAnswer: z.ZodType<DeviceTypeDocument> = z
  .object({
    organisation: text,
    id: text,
    class: deviceClass,
    description: text.exactOptional(),
    security: security.exactOptional(),
    unlock: unlockSettings.exactOptional(),
    owner: text.exactOptional(),
    commands: commands.exactOptional(),
    encryption: encryption.exactOptional(),
    limits: typeLimits.exactOptional(),
    metadata: metadata.exactOptional(),
    createdAt: at,
  })
  .meta({ id: 'DeviceType' });

export const deviceAnswer: z.ZodType<DeviceDocument> = z
  .object({
    organisation: text,
    type: text,
    id: text,
    class: deviceClass,
    principal: text,
    clientId: text,
    description: text.exactOptional(),
    metadata: metadata.exactOptional(),
    gatewayRole: gatewayRole.exactOptional(),
    unlock: unlockMode.exactOptional(),
    owner: text.exactOptional(),
    createdAt: at,
    suspendedAt: at.exactOptional(),
  })
  .meta({
    id: 'Device',
    examples: [
      {
        organisation: 'demo',
        type: 'pump',
        id: 'pump-7',
        class: 'device',
        principal: 'device:demo/pump/pump-7',
        clientId: 'd:demo:pump:pump-7',
        createdAt: '2026-01-31T12:00:00.000Z',
      },
    ],
  });

export const applicationAnswer: z.ZodType<ApplicationDocument> = z
  .object({
    organisation: text,
    id: text,
    principal: text,
    clientId: text,
    key: text,
    role: applicationRole,
    description: text.exactOptional(),
    createdAt: at,
    suspendedAt: at.exactOptional(),
  })
  .meta({ id: 'Application' });

export const operatorAnswer: z.ZodType<OperatorDocument> = z
  .object({ id: text, role: operatorRole, createdAt: at, suspendedAt: at.exactOptional() })
  .meta({ id: 'Operator' });

export const credentialAnswer: z.ZodType<CredentialDocument> = z
  .object({
    id: text,
    principal: text,
    kind: z.enum(['token', 'password', 'scram']),
    username: text.exactOptional(),
    createdAt: at,
    createdBy: text,
    expiresAt: at.exactOptional(),
    revokedAt: at.exactOptional(),
    revokedBy: text.exactOptional(),
  })
  .meta({ id: 'Credential' });

/** A secret that is in this answer and in no other. */
export const shownOnce = text.describe('Shown this once.').exactOptional();

export const issuedAnswer: z.ZodType<IssuedCredential> = z
  .object({ credential: credentialAnswer, token: shownOnce })
  .meta({ id: 'IssuedCredential' });

export const authorityAnswer: z.ZodType<AuthorityDocument> = z
  .object({
    id: text,
    subject: text,
    notBefore: at,
    notAfter: at,
    builtIn: z.boolean(),
    succeededBy: text.exactOptional(),
    pem: text,
    registration: z.enum(['off', 'review', 'automatic']).exactOptional(),
    revocation: z
      .object({
        mode: z.enum(REVOCATION_MODES),
        onUnknown: z.enum(ON_UNKNOWN),
        listUrl: text.exactOptional(),
        responderUrl: text.exactOptional(),
      })
      .exactOptional(),
    lists: z
      .array(
        z.object({
          url: text,
          thisUpdate: at.exactOptional(),
          nextUpdate: at.exactOptional(),
          revoked: z.int().exactOptional(),
          problem: text.exactOptional(),
        }),
      )
      .exactOptional(),
    createdAt: at.exactOptional(),
    createdBy: text.exactOptional(),
  })
  .meta({ id: 'Authority' });

export const certificateAnswer: z.ZodType<CertificateDocument> = z
  .object({
    id: text,
    organisation: text,
    principal: text.exactOptional(),
    kind: z.enum(['issued', 'pinned', 'foreign', 'claim']),
    serial: text,
    issuer: text,
    subject: text.exactOptional(),
    fingerprint: text.exactOptional(),
    notBefore: at.exactOptional(),
    notAfter: at.exactOptional(),
    createdAt: at,
    createdBy: text,
    revokedAt: at.exactOptional(),
    revokedBy: text.exactOptional(),
  })
  .meta({ id: 'Certificate' });

export const issuedCertificateAnswer: z.ZodType<IssuedCertificateDocument> = z
  .object({ certificate: certificateAnswer, pem: text, chainPem: text })
  .meta({ id: 'IssuedCertificate' });

export const policyAnswer: z.ZodType<PolicyVersionDocument> = z
  .object({
    organisation: text,
    version: z.int().min(0),
    text,
    savedAt: at.exactOptional(),
    savedBy: text.exactOptional(),
  })
  .meta({ id: 'PolicyVersion' });

export const sessionAnswer: z.ZodType<SessionDocument> = z
  .object({
    organisation: text,
    clientId: text,
    principal: text,
    connected: z.boolean(),
    assurance: z.enum(['full', 'pending']).exactOptional(),
    protocolVersion: z.number().exactOptional(),
    address: text.exactOptional(),
    transport: z.enum(['tcp', 'tls', 'ws', 'wss']).exactOptional(),
    secure: z.boolean().exactOptional(),
    connectedAt: at.exactOptional(),
    proofs: z.array(z.enum(['certificate', 'token'])).exactOptional(),
    subscriptions: z.number().exactOptional(),
    queued: z.number().exactOptional(),
  })
  .meta({ id: 'Session' });

export const fieldProblem: z.ZodType<FieldProblem> = z
  .object({
    path: text,
    problem: text,
    line: z.number().exactOptional(),
    column: z.number().exactOptional(),
    cure: text.exactOptional(),
  })
  .meta({ id: 'FieldProblem' });

export const problemAnswer: z.ZodType<Problem> = z
  .object({
    type: text.describe('Reference to the page that explains the code.'),
    title: text,
    status: z.int(),
    code: z.enum(Object.keys(FAILURES) as [FailureCode, ...FailureCode[]]),
    detail: text.describe('What happened, to what.'),
    cure: text.describe('What to do next.'),
    instance: text.describe('Where the refusal is explained.').exactOptional(),
    ticket: text.exactOptional(),
    errors: z.array(fieldProblem).exactOptional(),
  })
  .meta({
    id: 'Problem',
    description: 'Why a request failed (RFC 9457).',
    examples: [
      {
        type: '/docs/failures#not_found',
        title: FAILURES.not_found.meaning,
        status: 404,
        code: 'not_found',
        detail: 'There is no device pump-8 of type pump in organisation demo.',
        cure: FAILURES.not_found.cure,
      },
    ],
  });

/** A page of what `item` describes. */
export function pageAnswer<T>(item: z.ZodType<T>): z.ZodType<Page<T>> {
  return z.object({
    items: z.array(item),
    next: z.string().describe('Ask again with `after` = this for what follows; absent at the end.').exactOptional(),
  }) as z.ZodType<Page<T>>;
}
