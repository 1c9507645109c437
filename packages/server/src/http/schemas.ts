import {
  COMMAND_PROTECTIONS,
  ON_UNKNOWN,
  OPERATOR_ROLES,
  PAYLOAD_ENCRYPTIONS,
  type Parsed,
  parseApplicationId,
  parseDeviceId,
  parseOrganisationId,
  parseTypeId,
  REVOCATION_MODES,
  SECURITY_LEVELS,
  TYPE_LIMIT_NAMES,
  TYPE_LIMITS,
  type TypeLimits,
  UNLOCK_CHANNELS,
  UNLOCK_MODES,
  type UnlockSettings,
} from '@sallyport/model';
import { z } from 'zod';
import { APPLICATION_ROLES } from '../registry/records.ts';

/** Largest `limit` of a list. */
const LARGEST_PAGE = 500;
const ID_PATTERN = '^[A-Za-z0-9_.-]{1,36}$';

/** A text that the parser of the model accepts, described with the pattern that the parser stands for. */
function idText(parse: (text: string) => Parsed<string>, description: string, example: string, pattern = ID_PATTERN) {
  return z
    .string()
    .max(256, 'is too long')
    .check((ctx) => {
      const read = parse(ctx.value);
      if (!read.ok) ctx.issues.push({ code: 'custom', message: read.problem, input: ctx.value });
    })
    .meta({ description, examples: [example], pattern });
}

export const organisationId = idText(parseOrganisationId, 'Id of an organisation.', 'demo', '^[A-Za-z0-9_.]{1,36}$');
export const typeId = idText(parseTypeId, 'Id of a device type.', 'pump');
export const deviceId = idText(parseDeviceId, 'Id of a device or gateway.', 'pump-7');
export const applicationId = idText(parseApplicationId, 'Id of an application.', 'desk');
export const operatorId = idText(parseApplicationId, 'Id of an operator.', 'ann');

export const description = z.string().max(1024).describe('Free text.');
export const name = z.string().min(1).max(256).describe('Name for people.');
export const metadata = z
  .record(z.string().max(256), z.unknown())
  .refine((value) => JSON.stringify(value).length <= 16_384, 'is larger than 16 KiB as JSON')
  .describe('What one may note about it; the server does not look at it. At most 16 KiB as JSON.');
export const security = z.enum(SECURITY_LEVELS).describe('Connection security.');
export const unlockMode = z.enum(UNLOCK_MODES).describe('Whether a session has to give a one-time code.');
export const unlockSettings: z.ZodType<UnlockSettings> = z
  .strictObject({
    mode: unlockMode,
    channels: z
      .array(z.enum(UNLOCK_CHANNELS))
      .min(1)
      .max(UNLOCK_CHANNELS.length)
      .describe('How codes get to owners; `console` alone if left out.')
      .exactOptional(),
    publishedFlow: z.boolean().describe('Devices may speak the published JSON flow too.').exactOptional(),
    allowCodeInReply: z
      .boolean()
      .describe('Unsafe: the published flow answers with the code itself, so that it proves no presence.')
      .exactOptional(),
  })
  .describe('What is demanded beyond the credential: a one-time code.');
export const typeLimits: z.ZodType<TypeLimits> = z
  .strictObject(
    Object.fromEntries(
      TYPE_LIMIT_NAMES.map((name) => {
        const { minimum, maximum, meaning } = TYPE_LIMITS[name];
        return [name, z.int().min(minimum).max(maximum).describe(meaning).exactOptional()];
      }),
    ),
  )
  .describe('Bounds on its devices; what is left out is as the configuration says.');
export const owner = z
  .string()
  .max(320)
  .meta({ description: 'Mail address of the owner.', examples: ['ann@example.com'] });
export const commands = z
  .enum(COMMAND_PROTECTIONS)
  .describe('What commands to its devices must be: signed by an application, with the published uid, or anything.');
export const encryption = z
  .enum(PAYLOAD_ENCRYPTIONS)
  .describe('Whether what its devices send and receive must be sealed end to end.');
export const deviceClass = z
  .enum(['device', 'gateway'])
  .describe('Whether its members speak for themselves or also for others.');
export const gatewayRole = z.enum(['standard', 'privileged']).describe('What a gateway may do for others.');
export const applicationRole = z.enum(APPLICATION_ROLES).describe('What the built-in policy permits to it.');
export const operatorRole = z.enum(OPERATOR_ROLES).describe('What an operator may do.');

export const chosenToken = z.string().min(8).max(36).meta({
  description: 'A token of your own choice: 8 to 36 letters, digits and _ . ! & @ ? * + ( ) -. Generated if left out.',
});
const username = z.string().min(1).max(256).describe('User name of CONNECT; unique on the server.');
const password = z.string().min(8).max(256).describe('Password of CONNECT.');
const scram = z.boolean().describe('For SCRAM over AUTH alone, where the password is never sent.');
export const withPassword = z
  .strictObject({ username, password, scram: scram.exactOptional() })
  .describe('A user name and password for it.');

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const LONGEST_LIFE = 3650 * 86_400_000;

/** A duration written `90d`, `12h`, `30m` or `45s`, as milliseconds; at most ten years. */
export const expiresIn = z
  .string()
  .regex(/^[1-9][0-9]{0,8}[smhd]$/, {
    error: 'is no duration; write for example 90d, 12h, 30m or 45s',
    abort: true,
  })
  .refine((text) => milliseconds(text) <= LONGEST_LIFE, 'is longer than ten years')
  .meta({ description: 'After what time the credential expires; never if left out.', examples: ['90d', '12h'] });

/** The moment that an accepted {@link expiresIn} stands for, as a key to spread; milliseconds since the epoch. */
export function expiry(text: string | undefined, now: number): { expiresAt?: number } {
  return text === undefined ? {} : { expiresAt: now + milliseconds(text) };
}

function milliseconds(text: string): number {
  return Number(text.slice(0, -1)) * (UNITS[text.slice(-1)] ?? 0);
}

/** What a list is filtered by; nothing is looked up by it, so its form is not checked. */
export const principalText = z
  .string()
  .max(256)
  .meta({ description: 'Written form of a principal.', examples: ['device:demo/pump/pump-7'] });

const pem = (label: string, description: string) =>
  z
    .string()
    .max(16_384, 'is too long')
    .refine((value) => value.includes(`${label}-----`), `holds no PEM block of a ${label.toLowerCase()}`)
    .describe(description);
export const certificatePem = pem('CERTIFICATE', 'A certificate in PEM; of several the first.');
export const requestPem = pem('CERTIFICATE REQUEST', 'A certificate request (PKCS#10) in PEM.');
export const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'is no SHA-256 in lower-case hexadecimal')
  .describe('SHA-256 of a certificate, 64 hexadecimal digits.');
export const serial = z
  .string()
  .regex(/^(0x)?[0-9A-Fa-f][0-9A-Fa-f: ]{0,63}$/, 'is no serial; write it in hexadecimal')
  .describe('Serial of a certificate in hexadecimal.');

export const firmwareVersion = z
  .string()
  .max(64, 'is too long')
  .regex(/^(?!.*\.\.)[A-Za-z0-9][A-Za-z0-9._+-]*$/, 'is no firmware version')
  .meta({ description: 'Version of a firmware release.', examples: ['1.2.0'] });

const fetchedUrl = (what: string) =>
  z
    .string()
    .max(500, 'is too long')
    .regex(/^https?:\/\//, 'is no URL with http or https')
    .describe(what);

/** How revocation is looked at below an authority; what is left out stays, `null` ends a URL. */
export const revocationChange = z.strictObject({
  mode: z.enum(REVOCATION_MODES).exactOptional(),
  onUnknown: z.enum(ON_UNKNOWN).exactOptional(),
  listUrl: fetchedUrl('Where the list of the authority lies, in place of what certificates say.')
    .nullable()
    .exactOptional(),
  responderUrl: fetchedUrl('Where its responder answers, in place of what certificates say.')
    .nullable()
    .exactOptional(),
});

/** Query of every list. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(LARGEST_PAGE).default(100).describe('How many items at most.'),
  after: z.string().min(1).max(512).exactOptional().describe('`next` of the page before.'),
};

/** A moment in a query, as milliseconds since the epoch. */
export const moment = z.iso
  .datetime({ offset: true })
  .meta({ description: 'A moment, ISO 8601.', examples: ['2026-01-31T12:00:00Z'] });
