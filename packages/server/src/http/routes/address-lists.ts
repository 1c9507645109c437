import {
  type AddressCheckDocument,
  LIST_NAMES,
  type ListChangeDocument,
  type ListEntryDocument,
  type ListName,
  type ListsDocument,
  type Page,
} from '@sallyport/model';
import { parseAddress, parseListEntry } from '@sallyport/policy';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { at, pageAnswer } from '../answers.ts';
import type { Services } from '../api-options.ts';
import { pageOf } from '../documents.ts';
import { addressOf } from '../operator-gate.ts';
import { fields, type Route, route } from '../route.ts';
import { expiresIn, expiry, organisationId, pageQuery } from '../schemas.ts';

const text = z.string();
/** Entries of one request; the body has its own bound. */
const MOST = 10_000;

const entryText = z
  .string()
  .max(100)
  .check((ctx) => {
    const read = parseListEntry(ctx.value);
    if (!read.ok) ctx.issues.push({ code: 'custom', message: read.problem, input: ctx.value });
  })
  .meta({
    description: 'An address, a network, a range or a country.',
    examples: ['192.0.2.7', '192.0.2.0/24', '2001:db8::/32', '192.0.2.7-192.0.2.20', 'DE'],
  });
const addressText = z
  .string()
  .max(64)
  .check((ctx) => {
    if (!parseAddress(ctx.value)) ctx.issues.push({ code: 'custom', message: 'is no IP address', input: ctx.value });
  })
  .meta({ description: 'An IPv4 or IPv6 address.', examples: ['192.0.2.7'] });
const listName = z.enum(LIST_NAMES).describe('Which of the two lists.');
const force = z.boolean().describe('Do it even if it shuts out everybody, or the address of this request.');
const query = fields(pageQuery);
const settings = fields({
  active: z.enum(['none', ...LIST_NAMES]).describe('The list that is on; the other one is off.'),
  unknownCountry: z
    .enum(['allow', 'refuse'])
    .describe(
      'What becomes of an address whose country is not known, where the list names countries. Left out: allow with a black list, refuse with a white one.',
    )
    .exactOptional(),
  force: force.exactOptional(),
});
const added = fields({
  entries: z
    .array(
      fields({
        entry: entryText,
        note: z.string().max(1024).describe('For people.').exactOptional(),
        expiresIn: expiresIn.exactOptional(),
      }),
    )
    .min(1)
    .max(MOST),
  force: force.exactOptional(),
});
const forced = fields({ force: z.stringbool().describe('As in a body.').exactOptional() });

const listsAnswer: z.ZodType<ListsDocument> = z
  .object({
    organisation: text.exactOptional(),
    active: z.enum(['none', ...LIST_NAMES]),
    unknownCountry: z.enum(['allow', 'refuse']),
    black: z.number(),
    white: z.number(),
    countries: z.object({ file: text, type: text, builtAt: at }).exactOptional(),
  })
  .meta({
    id: 'Lists',
    examples: [{ organisation: 'demo', active: 'black', unknownCountry: 'allow', black: 2, white: 0 }],
  });
const entryAnswer: z.ZodType<ListEntryDocument> = z
  .object({
    list: z.enum(LIST_NAMES),
    entry: text,
    note: text.exactOptional(),
    createdAt: at,
    createdBy: text,
    expiresAt: at.exactOptional(),
  })
  .meta({ id: 'ListEntry' });
const changeAnswer: z.ZodType<ListChangeDocument> = z
  .object({ added: z.number(), changed: z.number() })
  .meta({ id: 'ListChange' });
const checkAnswer: z.ZodType<AddressCheckDocument> = z
  .object({
    address: text,
    passes: z.boolean(),
    country: text.exactOptional(),
    steps: z.array(text),
    cure: text.exactOptional(),
  })
  .meta({ id: 'AddressCheck' });

interface Params {
  readonly organisation?: string;
}
type WithList = Params & { readonly list: ListName };

/** Lists of the server, and the same below each organisation. */
export function addressListRoutes(services: Services, now: () => number): readonly Route[] {
  return [
    ...routesOf(services, now, '/server/lists', {}, 'ServerList'),
    ...routesOf(services, now, '/organisations/:organisation/lists', { organisation: organisationId }, 'List'),
  ];
}

function routesOf(
  { registry, addressLists }: Services,
  now: () => number,
  base: string,
  within: { readonly organisation?: typeof organisationId },
  noun: string,
): readonly Route[] {
  const { lists, countries } = addressLists;
  const params = fields(within) as unknown as z.ZodType<Params>;
  const named = within.organisation === undefined ? {} : { params };
  const withList = fields({ ...within, list: listName }) as unknown as z.ZodType<WithList>;
  const withEntry = fields({ ...within, list: listName, entry: entryText }) as unknown as z.ZodType<
    WithList & { readonly entry: string }
  >;
  const withAddress = fields({ ...within, address: addressText }) as unknown as z.ZodType<
    Params & { readonly address: string }
  >;
  const whose = noun === 'List' ? 'an organisation' : 'the server';
  const known = async ({ organisation }: Params): Promise<string> => {
    if (organisation !== undefined) await registry.organisations.get(organisation);
    return organisation ?? '';
  };
  const changer = (by: string, request: FastifyRequest, force = false) => ({ by, address: addressOf(request), force });
  const document = ({ organisation }: Params): ListsDocument => {
    const file = countries.describe();
    return {
      ...(organisation === undefined ? {} : { organisation }),
      ...lists.describe(organisation ?? ''),
      ...(file === undefined ? {} : { countries: file }),
    };
  };
  return [
    route<Params, unknown, unknown, ListsDocument>({
      method: 'GET',
      path: base,
      name: `get${noun}s`,
      tag: 'lists',
      summary: `Which list of ${whose} is on`,
      needs: 'reader',
      ...named,
      answer: { schema: listsAnswer },
      run: async ({ params = {} }) => {
        await known(params);
        return document(params);
      },
    }),
    route<Params, unknown, z.infer<typeof settings>, ListsDocument>({
      method: 'PUT',
      path: base,
      name: `use${noun}`,
      tag: 'lists',
      summary: `Turn a list of ${whose} on, which turns the other one off, or both off`,
      description:
        'Live sessions that may not be any more are closed. Refused if everybody or the address of this request would be shut out, unless forced.',
      needs: 'administrator',
      ...named,
      body: settings,
      answer: { schema: listsAnswer },
      problems: [409],
      run: async ({ params = {}, body: { force, ...body }, by, request }) => {
        await lists.use(await known(params), body, changer(by, request, force));
        return document(params);
      },
    }),
    route<WithList, z.infer<typeof query>, unknown, Page<ListEntryDocument>>({
      method: 'GET',
      path: `${base}/:list/entries`,
      name: `list${noun}Entries`,
      tag: 'lists',
      summary: `The entries of a list of ${whose}`,
      needs: 'reader',
      params: withList,
      query,
      answer: { schema: pageAnswer(entryAnswer) },
      run: async ({ params: { organisation, list }, query }) => {
        const scope = await known(organisation === undefined ? {} : { organisation });
        return pageOf(
          await registry.addressLists.page({ scope, list, ...query }),
          ({ createdAt, expiresAt, ...rest }) => ({
            list,
            ...rest,
            createdAt: new Date(createdAt).toISOString(),
            ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
          }),
        );
      },
    }),
    route<WithList, unknown, z.infer<typeof added>, ListChangeDocument>({
      method: 'POST',
      path: `${base}/:list/entries`,
      name: `add${noun}Entries`,
      tag: 'lists',
      summary: `Put addresses, networks, ranges or countries on a list of ${whose}`,
      description: 'All of them or none. Entries that are there already get the new note and end.',
      needs: 'operator',
      params: withList,
      body: added,
      answer: { schema: changeAnswer },
      problems: [409],
      run: async ({ params: { list, ...params }, body: { entries, force }, by, request }) =>
        lists.add(
          { scope: await known(params), list },
          entries.map(({ expiresIn: life, ...entry }) => ({ ...entry, ...expiry(life, now()) })),
          changer(by, request, force),
        ),
    }),
    route<WithList & { readonly entry: string }, z.infer<typeof forced>>({
      method: 'DELETE',
      path: `${base}/:list/entries/:entry`,
      name: `remove${noun}Entry`,
      tag: 'lists',
      summary: `Take an entry off a list of ${whose}`,
      needs: 'operator',
      params: withEntry,
      query: forced,
      problems: [409],
      run: async ({ params: { list, entry, ...params }, query: { force }, by, request }) =>
        lists.remove({ scope: await known(params), list }, [entry], changer(by, request, force)),
    }),
    route<Params & { readonly address: string }, unknown, unknown, AddressCheckDocument>({
      method: 'GET',
      path: `${base}/check/:address`,
      name: `check${noun}Address`,
      tag: 'lists',
      summary: `What the lists of the server${noun === 'List' ? ' and of an organisation' : ''} say of an address`,
      needs: 'reader',
      params: withAddress,
      answer: { schema: checkAnswer },
      run: async ({ params: { address, ...params } }) => {
        const scope = await known(params);
        const answers = (scope === '' ? [''] : ['', scope]).map((each) => lists.judge(each, address));
        const refused = answers.find((answer) => !answer.passes);
        const country = countries.of(address);
        return {
          address,
          passes: refused === undefined,
          ...(country === undefined ? {} : { country }),
          steps: answers.map(({ step }) => step.text),
          ...(refused === undefined || refused.passes ? {} : { cure: refused.cure }),
        };
      },
    }),
  ];
}
