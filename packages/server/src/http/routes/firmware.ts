import {
  Failure,
  type FirmwareReleaseDocument,
  type FirmwareRepositoryDocument,
  type FirmwareSigningDocument,
  type FirmwareUploadDocument,
  type Page,
} from '@sallyport/model';
import { z } from 'zod';
import { pageAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { release, releaseBody, repository, signing, upload } from '../firmware-answers.ts';
import { BYTES } from '../json-body.ts';
import { fields, type Route, route } from '../route.ts';
import { firmwareVersion, organisationId, sha256, typeId } from '../schemas.ts';

const BASE = '/organisations/:organisation/firmware';
const within = fields({ organisation: organisationId });
const withRelease = fields({ organisation: organisationId, type: typeId, version: firmwareVersion });
const withDigest = fields({ organisation: organisationId, digest: sha256 });
const signedText = z.string().min(2).max(4_000_000);
const offline = fields({
  root: signedText.describe('The first root role, signed by the threshold of its keys.'),
  targets: signedText.describe('The first targets role, without releases.'),
  bootloader: z.string().max(65_536).describe('Base64 of the statement about the bootloader, signed by the root keys.'),
});
const initialised = fields({ offline: offline.exactOptional() });
const piece = fields({
  size: z.coerce
    .number()
    .int()
    .min(1)
    .exactOptional()
    .describe('Bytes of the whole image; if left out, the body is its end.'),
  offset: z.coerce.number().int().min(0).default(0).describe('Where in the image the body begins.'),
});
const prepared = fields({
  exchange: z
    .array(z.enum(['snapshot', 'timestamp']))
    .max(2)
    .default([])
    .describe('Roles that are to get another key of this server.'),
});
const nextRoot = fields({
  root: signedText.describe('The next version of the root role, signed by the old and the new keys.'),
  bootloader: z.string().max(65_536).describe('Base64 of the statement about the bootloader, signed by them too.'),
  targets: signedText
    .exactOptional()
    .describe('The next version of the targets role, if other keys sign it from now on.'),
});
const replaced = fields({ targets: signedText.describe('The next version of the targets role, signed.') });

type Within = z.infer<typeof within>;
type WithRelease = z.infer<typeof withRelease>;
type WithDigest = z.infer<typeof withDigest>;

/** Firmware images of an organisation and the roles that sign them. */
export function firmwareRoutes({ firmware }: Services): readonly Route[] {
  return [
    route<Within, unknown, unknown, FirmwareRepositoryDocument>({
      method: 'GET',
      path: BASE,
      name: 'getFirmware',
      tag: 'firmware',
      summary: 'The firmware repository: its roles, their keys and until when they hold',
      needs: 'reader',
      params: within,
      answer: { schema: repository },
      run: ({ params }) => firmware.describe(params.organisation),
    }),
    route<Within, unknown, z.infer<typeof initialised>, FirmwareRepositoryDocument>({
      method: 'POST',
      path: BASE,
      name: 'initialiseFirmware',
      tag: 'firmware',
      summary: 'Make the firmware repository',
      description:
        'The server makes all keys; with `offline` it takes roles that were signed with keys that it never sees.',
      needs: 'administrator',
      params: within,
      body: initialised,
      answer: { status: 201, schema: repository },
      problems: [409],
      run: ({ params, body, by }) => firmware.initialise(params.organisation, by, body.offline),
    }),
    route<Within, unknown, z.infer<typeof prepared>, FirmwareSigningDocument>({
      method: 'POST',
      path: `${BASE}/signing`,
      name: 'prepareFirmwareSigning',
      tag: 'firmware',
      summary: 'What is needed to sign away from the server',
      description: 'Makes the keys that stay on the server, if there are none yet; answers their public halves.',
      needs: 'administrator',
      params: within,
      body: prepared,
      answer: { schema: signing },
      run: ({ params, body }) => firmware.signing(params.organisation, body.exchange),
    }),
    route<Within, unknown, z.infer<typeof nextRoot>, FirmwareRepositoryDocument>({
      method: 'PUT',
      path: `${BASE}/root`,
      name: 'replaceFirmwareRoot',
      tag: 'firmware',
      summary: 'Put the next root role into force: other keys, or another number of them, speak for the roles',
      description: 'Root keys that lie on the server sign as well; keys that speak for nobody any more are forgotten.',
      needs: 'administrator',
      params: within,
      body: nextRoot,
      answer: { schema: repository },
      problems: [409],
      run: ({ params, body, by }) => firmware.replaceRoot(params.organisation, by, body),
    }),
    route<Within, unknown, z.infer<typeof replaced>, FirmwareRepositoryDocument>({
      method: 'PUT',
      path: `${BASE}/targets`,
      name: 'replaceFirmwareTargets',
      tag: 'firmware',
      summary: 'Put a targets role into force that was signed elsewhere',
      description: 'To renew it or to take releases back; new releases come with their image.',
      needs: 'administrator',
      params: within,
      body: replaced,
      answer: { schema: repository },
      problems: [409],
      run: ({ params, body, by }) => firmware.replaceTargets(params.organisation, by, body.targets),
    }),
    route<WithDigest, unknown, unknown, FirmwareUploadDocument>({
      method: 'GET',
      path: `${BASE}/uploads/:digest`,
      name: 'getFirmwareUpload',
      tag: 'firmware',
      summary: 'How much of an image has been uploaded',
      needs: 'reader',
      params: withDigest,
      answer: { schema: upload },
      run: async ({ params: { organisation, digest } }) => {
        const received = await firmware.received(organisation, digest);
        return { digest, size: received, received };
      },
    }),
    route<WithDigest, z.infer<typeof piece>, unknown, FirmwareUploadDocument>({
      method: 'PUT',
      path: `${BASE}/uploads/:digest`,
      name: 'uploadFirmware',
      tag: 'firmware',
      summary: 'Upload a piece of an image, at most 1 MiB',
      description: 'The body is the piece. What has arrived already is not needed again.',
      needs: 'operator',
      params: withDigest,
      query: piece,
      body: z.unknown().describe('The piece, as it is.'),
      consumes: [BYTES],
      answer: { schema: upload },
      run: ({ params: { organisation, digest }, query, body }) => {
        if (!(body instanceof Uint8Array)) throw new Failure('invalid_request', `The body is to be sent as ${BYTES}.`);
        const { offset, size = offset + body.length } = query;
        return firmware.upload(organisation, { digest, size, offset, bytes: body });
      },
    }),
    route<Within, unknown, unknown, Page<FirmwareReleaseDocument>>({
      method: 'GET',
      path: `${BASE}/releases`,
      name: 'listFirmware',
      tag: 'firmware',
      summary: 'The releases of an organisation',
      needs: 'reader',
      params: within,
      answer: { schema: pageAnswer(release) },
      run: async ({ params }) => ({ items: await firmware.list(params.organisation) }),
    }),
    route<Within, unknown, z.infer<typeof releaseBody>, FirmwareReleaseDocument>({
      method: 'POST',
      path: `${BASE}/releases`,
      name: 'releaseFirmware',
      tag: 'firmware',
      summary: 'Sign an image that was uploaded, so that devices of its type may run it',
      description:
        'With `targets` the signature was made elsewhere; without it the server signs, if it holds the keys.',
      needs: 'administrator',
      params: within,
      body: releaseBody,
      answer: { status: 201, schema: release },
      problems: [409, 413],
      run: ({ params, body, by }) => firmware.release(params.organisation, by, body),
    }),
    route<WithRelease, unknown, unknown, FirmwareReleaseDocument>({
      method: 'GET',
      path: `${BASE}/releases/:type/:version`,
      name: 'getFirmwareRelease',
      tag: 'firmware',
      summary: 'One release',
      needs: 'reader',
      params: withRelease,
      answer: { schema: release },
      run: ({ params: { organisation, ...name } }) => firmware.get(organisation, name),
    }),
    route<WithRelease>({
      method: 'DELETE',
      path: `${BASE}/releases/:type/:version`,
      name: 'removeFirmwareRelease',
      tag: 'firmware',
      summary: 'Take a release back',
      description: 'Devices do not find it any more; those that run it go on.',
      needs: 'administrator',
      params: withRelease,
      run: ({ params: { organisation, ...name }, by }) => firmware.remove(organisation, by, name),
    }),
  ];
}
