import type { Page, PolicyCheck, PolicyVersionDocument } from '@sallyport/model';
import { z } from 'zod';
import { fieldProblem, pageAnswer, policyAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { policyDocument } from '../documents.ts';
import { demandMatch, etagOf, Turns } from '../policy-etag.ts';
import { FieldFailure } from '../problem.ts';
import { fields, type Route, route } from '../route.ts';
import { organisationId } from '../schemas.ts';

const BASE = '/organisations/:organisation/policy';
const YAML = ['text/yaml', 'application/yaml', 'text/plain'];
const params = fields({ organisation: organisationId });
const withVersion = fields({
  organisation: organisationId,
  version: z.coerce.number().int().min(1).describe('Number of a version.'),
});
/** Bytes: as many statements as a policy may have, in long words. */
const LARGEST_POLICY = 4 * 1_048_576;
const text = z.string().max(LARGEST_POLICY / 2);
/** JSON `{ "text": … }`, or the text itself with one of the content types of YAML. */
const body = z.union([fields({ text }), text.describe('The policy itself, as YAML or JSON text.')]);
const check: z.ZodType<PolicyCheck> = z
  .object({
    ok: z.boolean(),
    problems: z.array(fieldProblem),
    broad: z
      .array(z.object({ id: z.string(), why: z.string() }))
      .describe('Statements that are right and open very much.'),
  })
  .meta({ id: 'PolicyCheck' });

type Params = z.infer<typeof params>;
type Body = z.infer<typeof body>;

/** An organisation's own statements, beside the built-in ones. */
export function policyRoutes({ registry: { organisations, policies }, policy }: Services): readonly Route[] {
  const turns = new Turns();
  const textOf = (sent: Body) => (typeof sent === 'string' ? sent : sent.text);
  const inForce = async (organisation: string) => {
    await organisations.get(organisation);
    return policyDocument(organisation, await policies.get(organisation));
  };
  return [
    route<Params, unknown, unknown, PolicyVersionDocument>({
      method: 'GET',
      path: BASE,
      name: 'getPolicy',
      tag: 'policies',
      summary: 'The policy in force',
      description: 'The header ETag names the version; send it as If-Match to save only over what was read.',
      needs: 'reader',
      params,
      answer: { schema: policyAnswer },
      run: async ({ params, reply }) => {
        const found = await inForce(params.organisation);
        reply.header('etag', etagOf(found.version));
        return found;
      },
    }),
    route<Params, unknown, Body, PolicyVersionDocument>({
      method: 'PUT',
      path: BASE,
      name: 'putPolicy',
      tag: 'policies',
      summary: 'Put a policy into force',
      description: 'Nothing is saved unless every statement is right. Live sessions are judged anew.',
      needs: 'administrator',
      params,
      body,
      consumes: YAML,
      largestBody: LARGEST_POLICY,
      answer: { schema: policyAnswer },
      problems: [412],
      run: ({ params: { organisation }, body, by, request, reply }) =>
        turns.take(organisation, async () => {
          const before = await inForce(organisation);
          demandMatch(request.headers['if-match'], before.version);
          demandRight(policy.check(textOf(body)));
          const saved = await policies.put({ organisation, text: textOf(body), by });
          reply.header('etag', etagOf(saved.version));
          return policyDocument(organisation, saved);
        }),
    }),
    route<Params, unknown, Body, PolicyCheck>({
      method: 'POST',
      path: `${BASE}/check`,
      name: 'checkPolicy',
      tag: 'policies',
      summary: 'What is wrong with a policy, by line and column',
      description: 'Nothing is saved.',
      needs: 'reader',
      params,
      body,
      consumes: YAML,
      largestBody: LARGEST_POLICY,
      answer: { schema: check },
      run: async ({ params, body }) => {
        await organisations.get(params.organisation);
        const problems = policy.check(textOf(body));
        return { ok: problems.length === 0, problems, broad: problems.length === 0 ? policy.broad(textOf(body)) : [] };
      },
    }),
    route<Params, unknown, unknown, Page<PolicyVersionDocument>>({
      method: 'GET',
      path: `${BASE}/versions`,
      name: 'listPolicyVersions',
      tag: 'policies',
      summary: 'The versions that are kept, newest first',
      needs: 'reader',
      params,
      answer: { schema: pageAnswer(policyAnswer) },
      run: async ({ params: { organisation } }) => {
        await organisations.get(organisation);
        return { items: (await policies.list(organisation)).map((one) => policyDocument(organisation, one)) };
      },
    }),
    route<z.infer<typeof withVersion>, unknown, unknown, PolicyVersionDocument>({
      method: 'GET',
      path: `${BASE}/versions/:version`,
      name: 'getPolicyVersion',
      tag: 'policies',
      summary: 'One version',
      needs: 'reader',
      params: withVersion,
      answer: { schema: policyAnswer },
      run: async ({ params: { organisation, version } }) =>
        policyDocument(organisation, await policies.version(organisation, version)),
    }),
    route<unknown, unknown, unknown, string>({
      method: 'GET',
      path: '/policy/builtin',
      name: 'getBuiltinPolicy',
      tag: 'policies',
      summary: 'The statements that hold in every organisation, as YAML',
      needs: 'reader',
      answer: { schema: z.string(), type: 'text/yaml' },
      run: () => policy.builtin,
    }),
  ];
}

function demandRight(problems: ReturnType<Services['policy']['check']>): void {
  const [first] = problems;
  if (!first) return;
  const where = first.line === undefined ? first.path : `line ${first.line}, column ${first.column ?? 1}`;
  throw new FieldFailure('policy_invalid', `${where}: ${first.problem}`, problems.slice(0, 100));
}
