import { address, count, duration, flag, hostNames, port, section, text } from './kinds.ts';

/** News of revocation: what this server publishes of its own certificates, and whom it may ask about those of others. */
export const REVOCATION_SECTION = section('Publishing what is revoked, and learning it of others.', {
  publicUrl: text({
    default: 'none',
    type: 'URL',
    meaning:
      'Beginning of the URLs, as clients reach them, that are written into certificates from then on: `/pki/crl/…`, `/pki/ca/…` and `/pki/ocsp` are added to it. With `none` they name no such place.',
    expected: 'none, or a URL with http or https and without a query, such as http://pki.plant.example',
    fits: isPublicUrl,
  }),
  listLifetime: duration({
    default: '1d',
    minimum: '10m',
    maximum: '30d',
    meaning:
      'How long a published revocation list may be used; a newer one is made when something is revoked, and at half of this time.',
  }),
  refreshInterval: duration({
    default: '1h',
    minimum: '10s',
    maximum: '1d',
    meaning:
      'After what time lists and OCSP answers about certificates of imported authorities are fetched anew at the latest, however long they say that they may be used.',
  }),
  allowedHosts: hostNames({
    default: [],
    meaning:
      'Hosts with private, link-local or loopback addresses from which lists and OCSP answers about certificates of imported authorities may be fetched. Hosts with public addresses need no entry.',
  }),
});

/** HTTP without TLS for signed public objects only: many clients fetch lists by it, so that they need no certificate to check one. */
export const REVOCATION_LISTENER = section(
  'Plain HTTP for revocation lists, OCSP and the certificates of authorities, and nothing else; all of it is public and signed.',
  {
    enabled: flag({ default: false, meaning: 'Whether they are offered by plain HTTP too; by HTTPS they always are.' }),
    address: address('Address that it listens on; name another than loopback to be reached from the network.'),
    port: port({ default: 8880, meaning: 'Port; 0 takes a free one.' }),
    maximumConnections: count({
      reached: 'The newcomer is closed.',
      default: 256,
      minimum: 1,
      maximum: 100_000,
      meaning: 'Connections at once.',
    }),
  },
);

function isPublicUrl(value: string): boolean {
  if (value === 'none') return true;
  if (!/^https?:\/\//.test(value) || !URL.canParse(value) || value.length > 200) return false;
  const { username, password, search, hash } = new URL(value);
  return `${username}${password}${search}${hash}` === '' && !value.includes('?') && !value.includes('#');
}
