import type { DeviceDocument, NewDevice, Page } from '@sallyport/model';
import { z } from 'zod';
import { credentialAnswer, deviceAnswer, pageAnswer, shownOnce } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { deviceDocument, pageOf } from '../documents.ts';
import { registerDevice } from '../new-principal.ts';
import { fields, type Route, route } from '../route.ts';
import {
  chosenToken,
  description,
  type deviceClass,
  deviceId,
  expiresIn,
  gatewayRole,
  metadata,
  organisationId,
  owner,
  pageQuery,
  typeId,
  unlockMode,
  withPassword,
} from '../schemas.ts';

const BASE = '/organisations/:organisation/types/:type/devices';
const inType = fields({ organisation: organisationId, type: typeId });
const params = fields({ organisation: organisationId, type: typeId, device: deviceId });
const query = fields(pageQuery);
const created = fields({
  id: deviceId,
  description: description.exactOptional(),
  metadata: metadata.exactOptional(),
  gatewayRole: gatewayRole.exactOptional(),
  unlock: unlockMode.exactOptional(),
  owner: owner.exactOptional(),
  token: chosenToken.exactOptional(),
  expiresIn: expiresIn.exactOptional(),
  password: withPassword.exactOptional(),
  withoutToken: z
    .boolean()
    .describe('Register it without a token: it gets a password or a certificate, or a gateway speaks for it.')
    .exactOptional(),
});
const changed = fields({
  description: description.nullable().exactOptional(),
  metadata: metadata.nullable().exactOptional(),
  gatewayRole: gatewayRole.exactOptional(),
  unlock: unlockMode.nullable().exactOptional(),
  owner: owner.nullable().exactOptional(),
});
const newDevice: z.ZodType<NewDevice> = z
  .object({ device: deviceAnswer, credentials: z.array(credentialAnswer), token: shownOnce })
  .meta({ id: 'NewDevice' });
const one = { tag: 'devices', params, answer: { schema: deviceAnswer } } as const;

type InType = z.infer<typeof inType>;
type Params = z.infer<typeof params>;

/** Devices and gateways of one type. */
export function deviceRoutes({ registry }: Services, now: () => number): readonly Route[] {
  const { devices } = registry;
  const named = ({ organisation, type, device }: Params) => ({ organisation, type, id: device });
  return [
    route<InType, z.infer<typeof query>, unknown, Page<DeviceDocument>>({
      method: 'GET',
      path: BASE,
      name: 'listDevicesOfType',
      tag: 'devices',
      summary: 'The devices or gateways of a type',
      needs: 'reader',
      params: inType,
      query,
      answer: { schema: pageAnswer(deviceAnswer) },
      run: async ({ params, query }) => pageOf(await devices.list({ ...params, ...query }), deviceDocument),
    }),
    route<InType, unknown, z.infer<typeof created>, NewDevice>({
      method: 'POST',
      path: BASE,
      name: 'createDevice',
      tag: 'devices',
      summary: 'Register a device or gateway',
      description: 'The token is in this answer and nowhere else.',
      needs: 'operator',
      params: inType,
      body: created,
      answer: { status: 201, schema: newDevice },
      problems: [409],
      secret: true,
      run: ({ params, body, by }) => registerDevice(registry, params, body, by, now()),
    }),
    route<Params, unknown, unknown, DeviceDocument>({
      ...one,
      method: 'GET',
      path: `${BASE}/:device`,
      name: 'getDevice',
      summary: 'One device or gateway',
      needs: 'reader',
      run: async ({ params }) => deviceDocument(await devices.get(named(params))),
    }),
    route<Params, unknown, z.infer<typeof changed>, DeviceDocument>({
      ...one,
      method: 'PATCH',
      path: `${BASE}/:device`,
      name: 'updateDevice',
      summary: 'Change a device or gateway',
      description: 'What is left out stays, null clears.',
      needs: 'operator',
      body: changed,
      run: async ({ params, body, by }) => deviceDocument(await devices.update({ ...body, ...named(params), by })),
    }),
    route<Params>({
      method: 'DELETE',
      path: `${BASE}/:device`,
      name: 'removeDevice',
      tag: 'devices',
      summary: 'Remove a device or gateway with its credentials',
      needs: 'operator',
      params,
      run: ({ params, by }) => devices.remove({ ...named(params), by }),
    }),
    route<Params, unknown, unknown, DeviceDocument>({
      ...one,
      method: 'POST',
      path: `${BASE}/:device/suspend`,
      name: 'suspendDevice',
      summary: 'Let it connect no more, for a time',
      needs: 'operator',
      run: async ({ params, by }) => deviceDocument(await devices.suspend({ ...named(params), by })),
    }),
    route<Params, unknown, unknown, DeviceDocument>({
      ...one,
      method: 'POST',
      path: `${BASE}/:device/resume`,
      name: 'resumeDevice',
      summary: 'Undo a suspension',
      needs: 'operator',
      run: async ({ params, by }) => deviceDocument(await devices.resume({ ...named(params), by })),
    }),
    ...(['device', 'gateway'] as const).map((kind) => listOfClass(kind, registry)),
  ];
}

function listOfClass(kind: z.infer<typeof deviceClass>, { devices }: Services['registry']): Route {
  const params = fields({ organisation: organisationId });
  return route<z.infer<typeof params>, z.infer<typeof query>, unknown, Page<DeviceDocument>>({
    method: 'GET',
    path: `/organisations/:organisation/${kind}s`,
    name: kind === 'device' ? 'listDevices' : 'listGateways',
    tag: 'devices',
    summary: `The ${kind}s of an organisation, of all types`,
    needs: 'reader',
    params,
    query,
    answer: { schema: pageAnswer(deviceAnswer) },
    run: async ({ params, query }) => pageOf(await devices.list({ ...params, ...query, class: kind }), deviceDocument),
  });
}
