import { pemOf } from '@sallyport/trust';
import type { Authority } from '../authority/authority.ts';
import type { Registry } from '../registry/registry.ts';

/** The list travels in every handshake, and TLS bounds it (RFC 5246 section 7.4.4). */
const NAMED_MAXIMUM = 200;

/**
 * The authorities that are named to clients which are asked for a certificate, so that those who have several show a fitting one.
 * The authorities of organisations are below the root and not named: their names are nobody's business. With more than fit into a handshake none is named, which lets clients show whatever they have (RFC 8446 section 4.2.4).
 */
export async function clientAuthorities(
  registry: Pick<Registry, 'authorities'>,
  { root, intermediate }: Pick<Authority, 'root' | 'intermediate'>,
): Promise<readonly string[]> {
  const trusted = await registry.authorities.distinct(NAMED_MAXIMUM + 1);
  if (trusted.length > NAMED_MAXIMUM) return [];
  return [root.der, intermediate().der, ...trusted].map((der) => pemOf('CERTIFICATE', der));
}
