import { section, text } from './kinds.ts';

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
