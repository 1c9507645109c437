import type { AuthorityDocument, DeviceDocument, Page, PendingDeviceDocument } from '@sallyport/model';
import { z } from 'zod';
import { REGISTRATIONS } from '../../registry/records.ts';
import { at, authorityAnswer, deviceAnswer, pageAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { authorityDocument, deviceDocument, pageOf } from '../documents.ts';
import { fields, type Route, route } from '../route.ts';
import { deviceId, organisationId, pageQuery, sha256, typeId } from '../schemas.ts';

const PATH = '/organisations/:organisation/pending-devices';
const within = fields({ organisation: organisationId });
const named = fields({ organisation: organisationId, type: typeId, device: deviceId });
const query = fields(pageQuery);
const authority = fields({ organisation: organisationId, authority: sha256 });
const mode = fields({
  registration: z.enum(REGISTRATIONS).describe('What becomes of unknown devices that it has certified.'),
});
const pendingAnswer: z.ZodType<PendingDeviceDocument> = z
  .object({
    organisation: z.string(),
    type: z.string(),
    id: z.string(),
    authority: z.string(),
    fingerprint: z.string(),
    address: z.string(),
    firstAt: at,
    lastAt: at,
  })
  .meta({ id: 'PendingDevice' });

type Named = z.infer<typeof named>;

/** Unknown devices with a certificate of a trusted authority: who waits, and what the authority may do. */
export function pendingDeviceRoutes({ registry }: Services): readonly Route[] {
  const { pendingDevices, authorities } = registry;
  const nameOf = ({ organisation, type, device }: Named) => ({ organisation, type, id: device });
  return [
    route<z.infer<typeof within>, z.infer<typeof query>, unknown, Page<PendingDeviceDocument>>({
      method: 'GET',
      path: PATH,
      name: 'listPendingDevices',
      tag: 'devices',
      summary: 'Unknown devices that wait for approval',
      needs: 'reader',
      params: within,
      query,
      answer: { schema: pageAnswer(pendingAnswer) },
      run: async ({ params, query }) =>
        pageOf(await pendingDevices.list({ ...params, ...query }), ({ firstAt, lastAt, ...rest }) => ({
          ...rest,
          firstAt: new Date(firstAt).toISOString(),
          lastAt: new Date(lastAt).toISOString(),
        })),
    }),
    route<Named, unknown, unknown, DeviceDocument>({
      method: 'POST',
      path: `${PATH}/:type/:device/approve`,
      name: 'approvePendingDevice',
      tag: 'devices',
      summary: 'Register a device that waits; its certificate proves it',
      needs: 'operator',
      params: named,
      answer: { schema: deviceAnswer },
      problems: [409],
      run: async ({ params, by }) => deviceDocument(await pendingDevices.approve({ ...nameOf(params), by })),
    }),
    route<Named>({
      method: 'DELETE',
      path: `${PATH}/:type/:device`,
      name: 'rejectPendingDevice',
      tag: 'devices',
      summary: 'Take a device off the list of those that wait',
      needs: 'operator',
      params: named,
      run: ({ params, by }) => pendingDevices.reject({ ...nameOf(params), by }),
    }),
    route<z.infer<typeof authority>, unknown, z.infer<typeof mode>, AuthorityDocument>({
      method: 'PUT',
      path: '/organisations/:organisation/authorities/:authority/registration',
      name: 'setAuthorityRegistration',
      tag: 'certificates',
      summary: 'What becomes of unknown devices that an authority of your own has certified',
      description: '`off` refuses them, `review` lets them wait for an operator, `automatic` registers them.',
      needs: 'administrator',
      params: authority,
      body: mode,
      answer: { schema: authorityAnswer },
      run: async ({ params: { organisation, authority: fingerprint }, body, by }) =>
        authorityDocument(await authorities.setRegistration({ organisation, fingerprint, ...body, by })),
    }),
  ];
}
