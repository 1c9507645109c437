import {
  type FirmwareReleaseDocument,
  type FirmwareRepositoryDocument,
  type FirmwareSigningDocument,
  type FirmwareUploadDocument,
  ROLLOUT_DEVICE_STATES,
  ROLLOUT_STATES,
  type RolloutDeviceDocument,
  type RolloutDocument,
} from '@sallyport/model';
import { z } from 'zod';
import { at } from './answers.ts';
import { fields } from './route.ts';
import { firmwareVersion, sha256, typeId } from './schemas.ts';

const text = z.string();
const count = z.number().int();

export const release: z.ZodType<FirmwareReleaseDocument> = z
  .object({
    organisation: text,
    type: text,
    version: text,
    digest: text.describe('SHA-256 of the image.'),
    size: count.describe('Bytes.'),
    sequence: count.describe('Devices take only what is newer.'),
    minimumSequence: count.describe('Nothing below it starts again once this release has proven itself.'),
    renewCertificate: z.literal(true).exactOptional().describe('Devices have a new certificate issued with it.'),
  })
  .meta({ id: 'FirmwareRelease' });

export const releaseBody = fields({
  type: typeId,
  version: firmwareVersion,
  digest: sha256,
  size: z.number().int().min(1).describe('Bytes of the image.'),
  sequence: count.min(1).exactOptional().describe('One above the last release of the type if left out.'),
  minimumSequence: count.min(0).exactOptional().describe('The sequence of this release if left out.'),
  renewCertificate: z
    .boolean()
    .exactOptional()
    .describe('Devices that prove themselves by a certificate have a new one issued with it.'),
  targets: text
    .max(4_000_000)
    .exactOptional()
    .describe('The signed targets role with this release, where the server does not hold the keys.'),
});

export const repository: z.ZodType<FirmwareRepositoryDocument> = z
  .object({
    organisation: text,
    roles: z.array(
      z.object({
        role: text,
        threshold: count,
        keys: z.array(text),
        version: count,
        expiresAt: at,
        signedHere: z.boolean().describe('Whether the server holds enough keys to sign by itself.'),
      }),
    ),
    releases: count,
    size: count.describe('Bytes of all images.'),
  })
  .meta({ id: 'FirmwareRepository' });

const publicKey = z.object({ keyId: text, publicKey: text.describe('Ed25519, hexadecimal.') });

export const signing: z.ZodType<FirmwareSigningDocument> = z
  .object({
    snapshot: publicKey,
    timestamp: publicKey,
    bootloader: text.describe('Base64.'),
    bootloaderStatement: text.exactOptional().describe('Base64 of the signed statement about the bootloader.'),
    sequences: z.record(text, count).describe('The largest sequence that each type ever had.'),
    root: text.exactOptional().describe('The signed root role in force.'),
    targets: text.exactOptional().describe('The signed targets role in force.'),
  })
  .meta({ id: 'FirmwareSigning' });

export const upload: z.ZodType<FirmwareUploadDocument> = z
  .object({ digest: text, size: count, received: count })
  .meta({ id: 'FirmwareUpload' });

const deviceStates = z.record(z.enum(ROLLOUT_DEVICE_STATES), count);

export const rollout: z.ZodType<RolloutDocument> = z
  .object({
    id: text,
    organisation: text,
    type: text,
    version: text,
    percent: count,
    haltAbove: count,
    state: z.enum(ROLLOUT_STATES),
    cause: text.exactOptional(),
    createdAt: at,
    createdBy: text,
    devices: deviceStates,
  })
  .meta({ id: 'Rollout' });

export const rolloutDevice: z.ZodType<RolloutDeviceDocument> = z
  .object({ device: text, state: z.enum(ROLLOUT_DEVICE_STATES), detail: text.exactOptional(), updatedAt: at })
  .meta({ id: 'RolloutDevice' });
