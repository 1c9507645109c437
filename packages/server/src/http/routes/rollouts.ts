import type { Page, RolloutDeviceDocument, RolloutDocument } from '@sallyport/model';
import { z } from 'zod';
import { pageAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { rollout, rolloutDevice } from '../firmware-answers.ts';
import { fields, type Route, route } from '../route.ts';
import { firmwareVersion, organisationId, pageQuery, typeId } from '../schemas.ts';

const BASE = '/organisations/:organisation/rollouts';
const within = fields({ organisation: organisationId });
const one = fields({
  organisation: organisationId,
  id: z
    .string()
    .regex(/^[0-9A-Z]{6}$/, 'is no id of a rollout')
    .meta({ description: 'Id of a rollout.', examples: ['R7K2QX'] }),
});
const query = fields(pageQuery);
const percent = z.number().int().min(1).max(100);
const started = fields({
  type: typeId,
  version: firmwareVersion,
  percent: percent.default(100).describe('Share of the devices; which ones follows from their ids.'),
  haltAbove: percent.default(20).describe('Halts when more than this share of those that reported failed.'),
});
const resumed = fields({ percent: percent.exactOptional() }).optional();

type Within = z.infer<typeof within>;
type One = z.infer<typeof one>;
type PageQuery = z.infer<typeof query>;

/** Releases on their way to the devices of their type. */
export function rolloutRoutes({ registry, rollouts }: Services): readonly Route[] {
  return [
    route<Within, PageQuery, unknown, Page<RolloutDocument>>({
      method: 'GET',
      path: BASE,
      name: 'listRollouts',
      tag: 'firmware',
      summary: 'The rollouts of an organisation, newest first',
      needs: 'reader',
      params: within,
      query,
      answer: { schema: pageAnswer(rollout) },
      run: async ({ params: { organisation }, query }) => {
        await registry.organisations.get(organisation);
        return rollouts.list(organisation, query);
      },
    }),
    route<Within, unknown, z.infer<typeof started>, RolloutDocument>({
      method: 'POST',
      path: BASE,
      name: 'startRollout',
      tag: 'firmware',
      summary: 'Offer a release to a share of its type',
      description: 'To connected devices at once, a bounded number at a time; to the others when they connect.',
      needs: 'operator',
      params: within,
      body: started,
      answer: { status: 201, schema: rollout },
      problems: [409],
      run: ({ params, body, by }) => rollouts.start({ ...params, ...body }, by),
    }),
    route<One, unknown, unknown, RolloutDocument>({
      method: 'GET',
      path: `${BASE}/:id`,
      name: 'getRollout',
      tag: 'firmware',
      summary: 'One rollout, and how far it is',
      needs: 'reader',
      params: one,
      answer: { schema: rollout },
      run: ({ params }) => rollouts.get(params.organisation, params.id),
    }),
    route<One, PageQuery, unknown, Page<RolloutDeviceDocument>>({
      method: 'GET',
      path: `${BASE}/:id/devices`,
      name: 'listRolloutDevices',
      tag: 'firmware',
      summary: 'How far each device of a rollout is',
      needs: 'reader',
      params: one,
      query,
      answer: { schema: pageAnswer(rolloutDevice) },
      run: ({ params, query }) => rollouts.devices(params.organisation, params.id, query),
    }),
    route<One, unknown, unknown, RolloutDocument>({
      method: 'POST',
      path: `${BASE}/:id/halt`,
      name: 'haltRollout',
      tag: 'firmware',
      summary: 'Offer the release to no further device',
      needs: 'operator',
      params: one,
      answer: { schema: rollout },
      run: ({ params, by }) => rollouts.halt(params.organisation, params.id, by),
    }),
    route<One, unknown, z.infer<typeof resumed>, RolloutDocument>({
      method: 'POST',
      path: `${BASE}/:id/resume`,
      name: 'resumeRollout',
      tag: 'firmware',
      summary: 'Go on, to a larger share if one is named',
      description: 'Devices that failed are offered it again.',
      needs: 'operator',
      params: one,
      body: resumed,
      answer: { schema: rollout },
      problems: [409],
      run: ({ params, body, by }) => rollouts.resume(params.organisation, params.id, body?.percent, by),
    }),
    route<One, unknown, unknown, RolloutDocument>({
      method: 'POST',
      path: `${BASE}/:id/abort`,
      name: 'abortRollout',
      tag: 'firmware',
      summary: 'Give a rollout up',
      needs: 'operator',
      params: one,
      answer: { schema: rollout },
      run: ({ params, by }) => rollouts.abort(params.organisation, params.id, by),
    }),
  ];
}
