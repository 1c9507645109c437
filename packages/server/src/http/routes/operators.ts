import type { NewOperator, OperatorDocument, Page } from '@sallyport/model';
import { z } from 'zod';
import { credentialAnswer, operatorAnswer, pageAnswer, shownOnce } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { credentialDocument, operatorDocument, pageOf } from '../documents.ts';
import { fields, type Route, route } from '../route.ts';
import { expiresIn, expiry, operatorId, operatorRole, pageQuery } from '../schemas.ts';

const params = fields({ operator: operatorId });
const query = fields(pageQuery);
const created = fields({ id: operatorId, role: operatorRole, expiresIn: expiresIn.exactOptional() });
const changed = fields({ role: operatorRole });
const newOperator: z.ZodType<NewOperator> = z
  .object({ operator: operatorAnswer, credentials: z.array(credentialAnswer), token: shownOnce })
  .meta({ id: 'NewOperator' });
const one = { tag: 'operators', params, answer: { schema: operatorAnswer } } as const;

type Params = z.infer<typeof params>;

/** Operators, by administrators: whoever could make an operator could make itself one that may more. */
export function operatorRoutes({ registry: { operators } }: Services, now: () => number): readonly Route[] {
  return [
    route<unknown, z.infer<typeof query>, unknown, Page<OperatorDocument>>({
      method: 'GET',
      path: '/operators',
      name: 'listOperators',
      tag: 'operators',
      summary: 'All operators',
      needs: 'reader',
      query,
      answer: { schema: pageAnswer(operatorAnswer) },
      run: async ({ query }) => pageOf(await operators.list(query), operatorDocument),
    }),
    route<unknown, unknown, z.infer<typeof created>, NewOperator>({
      method: 'POST',
      path: '/operators',
      name: 'createOperator',
      tag: 'operators',
      summary: 'Add an operator',
      description: 'The token is generated; it is in this answer and nowhere else.',
      needs: 'administrator',
      body: created,
      answer: { status: 201, schema: newOperator },
      problems: [409],
      secret: true,
      run: async ({ body: { id, role, expiresIn }, by }) => {
        const issued = await operators.create({ id, role, ...expiry(expiresIn, now()), by });
        return {
          operator: operatorDocument(issued.record),
          credentials: [credentialDocument(issued.credential)],
          token: issued.token,
        };
      },
    }),
    route<Params, unknown, unknown, OperatorDocument>({
      ...one,
      method: 'GET',
      path: '/operators/:operator',
      name: 'getOperator',
      summary: 'One operator',
      needs: 'reader',
      run: async ({ params }) => operatorDocument(await operators.get(params.operator)),
    }),
    route<Params, unknown, z.infer<typeof changed>, OperatorDocument>({
      ...one,
      method: 'PATCH',
      path: '/operators/:operator',
      name: 'updateOperator',
      summary: 'Give an operator another role',
      needs: 'administrator',
      body: changed,
      problems: [409],
      run: async ({ params, body, by }) =>
        operatorDocument(await operators.update({ id: params.operator, role: body.role, by })),
    }),
    route<Params>({
      method: 'DELETE',
      path: '/operators/:operator',
      name: 'removeOperator',
      tag: 'operators',
      summary: 'Remove an operator with its credentials',
      needs: 'administrator',
      params,
      problems: [409],
      run: ({ params, by }) => operators.remove({ id: params.operator, by }),
    }),
    route<Params, unknown, unknown, OperatorDocument>({
      ...one,
      method: 'POST',
      path: '/operators/:operator/suspend',
      name: 'suspendOperator',
      summary: 'Hear an operator no more, for a time',
      needs: 'administrator',
      problems: [409],
      run: async ({ params, by }) => operatorDocument(await operators.suspend({ id: params.operator, by })),
    }),
    route<Params, unknown, unknown, OperatorDocument>({
      ...one,
      method: 'POST',
      path: '/operators/:operator/resume',
      name: 'resumeOperator',
      summary: 'Undo a suspension',
      needs: 'administrator',
      run: async ({ params, by }) => operatorDocument(await operators.resume({ id: params.operator, by })),
    }),
  ];
}
