import { parseListEntry } from '@sallyport/policy';
import { z } from 'zod';
import { type KeyMeta, section, text } from './kinds.ts';

/** Lists of addresses and countries: what they need besides the lists themselves, which live in the registry. */
export const LISTS_SECTION = section(
  'What lists of addresses and countries need; the lists are kept in the registry.',
  {
    countryFile: text({
      default: 'countries.mmdb',
      type: 'path',
      meaning:
        'File in the MaxMind DB format that says in which country an address is. A relative path counts from the data directory. It need not be there; a new file is taken within seconds.',
      expected: 'a path',
      fits: (value) => value.trim() !== '' && !value.includes('\u0000'),
    }),
  },
);

/** Proxies of a listener: what they say about their clients is believed. */
export function proxyAddresses() {
  return z
    .array(
      z.string().refine((value) => {
        const read = parseListEntry(value);
        return read.ok && read.value.kind === 'range';
      }),
    )
    .max(100)
    .prefault([])
    .meta({
      description:
        'Addresses and networks of proxies in front of this listener. Each of their connections must begin with a header of the PROXY protocol, version 1 or 2; the address in it then counts as that of the client. From any other address a header is refused.',
      type: 'list of addresses',
      bounds: 'at most 100',
      default: 'none',
      expected: 'a list of addresses, networks (10.0.0.0/24) or ranges',
    } satisfies KeyMeta);
}
