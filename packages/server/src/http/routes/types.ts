import type { DeviceTypeDocument, Page } from '@sallyport/model';
import type { z } from 'zod';
import { pageAnswer, typeAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { deviceTypeDocument, pageOf } from '../documents.ts';
import { fields, type Route, route } from '../route.ts';
import {
  commands,
  description,
  deviceClass,
  encryption,
  metadata,
  organisationId,
  owner,
  pageQuery,
  security,
  typeId,
  typeLimits,
  unlockSettings,
} from '../schemas.ts';

const inOrganisation = fields({ organisation: organisationId });
const params = fields({ organisation: organisationId, type: typeId });
const query = fields(pageQuery);
const created = fields({
  id: typeId,
  class: deviceClass.exactOptional(),
  description: description.exactOptional(),
  security: security.exactOptional(),
  unlock: unlockSettings.exactOptional(),
  owner: owner.exactOptional(),
  commands: commands.exactOptional(),
  encryption: encryption.exactOptional(),
  limits: typeLimits.exactOptional(),
  metadata: metadata.exactOptional(),
});
const changed = fields({
  description: description.nullable().exactOptional(),
  security: security.nullable().exactOptional(),
  unlock: unlockSettings.nullable().exactOptional(),
  owner: owner.nullable().exactOptional(),
  commands: commands.nullable().exactOptional(),
  encryption: encryption.nullable().exactOptional(),
  limits: typeLimits.nullable().exactOptional(),
  metadata: metadata.nullable().exactOptional(),
});

type Within = z.infer<typeof inOrganisation>;
type Params = z.infer<typeof params>;

/** Device types of an organisation. */
export function typeRoutes({ registry: { types } }: Services): readonly Route[] {
  return [
    route<Within, z.infer<typeof query>, unknown, Page<DeviceTypeDocument>>({
      method: 'GET',
      path: '/organisations/:organisation/types',
      name: 'listTypes',
      tag: 'types',
      summary: 'The device types of an organisation',
      needs: 'reader',
      params: inOrganisation,
      query,
      answer: { schema: pageAnswer(typeAnswer) },
      run: async ({ params, query }) => pageOf(await types.list({ ...params, ...query }), deviceTypeDocument),
    }),
    route<Within, unknown, z.infer<typeof created>, DeviceTypeDocument>({
      method: 'POST',
      path: '/organisations/:organisation/types',
      name: 'createType',
      tag: 'types',
      summary: 'Add a device type',
      description: 'Its class cannot be changed later.',
      needs: 'operator',
      params: inOrganisation,
      body: created,
      answer: { status: 201, schema: typeAnswer },
      problems: [409],
      run: async ({ params, body, by }) => deviceTypeDocument(await types.create({ ...body, ...params, by })),
    }),
    route<Params, unknown, unknown, DeviceTypeDocument>({
      method: 'GET',
      path: '/organisations/:organisation/types/:type',
      name: 'getType',
      tag: 'types',
      summary: 'One device type',
      needs: 'reader',
      params,
      answer: { schema: typeAnswer },
      run: async ({ params: { organisation, type } }) =>
        deviceTypeDocument(await types.get({ organisation, id: type })),
    }),
    route<Params, unknown, z.infer<typeof changed>, DeviceTypeDocument>({
      method: 'PATCH',
      path: '/organisations/:organisation/types/:type',
      name: 'updateType',
      tag: 'types',
      summary: 'Change a device type',
      description: 'What is left out stays, null clears: without `security` the level of the organisation holds.',
      needs: 'operator',
      params,
      body: changed,
      answer: { schema: typeAnswer },
      run: async ({ params: { organisation, type }, body, by }) =>
        deviceTypeDocument(await types.update({ ...body, organisation, id: type, by })),
    }),
    route<Params>({
      method: 'DELETE',
      path: '/organisations/:organisation/types/:type',
      name: 'removeType',
      tag: 'types',
      summary: 'Remove a device type that has no devices',
      needs: 'operator',
      params,
      problems: [409],
      run: ({ params: { organisation, type }, by }) => types.remove({ organisation, id: type, by }),
    }),
  ];
}
