import { provisionIdentity } from '@sallyport/application';
import { type Identity, type IdentityFile, readIdentity, type SigningAlgorithm } from '@sallyport/trust';
import type { TestServer } from './server.ts';

/** A new identity on record at the server, ready to be used. */
export async function newIdentity(
  server: TestServer,
  principal: string,
  more: { readonly algorithm?: SigningAlgorithm; readonly previous?: IdentityFile; readonly overlap?: string } = {},
): Promise<{ readonly file: IdentityFile; readonly identity: Identity; readonly jws: string }> {
  const [, organisation = ''] = /^[a-z]+:([^/]+)\//.exec(principal) ?? [];
  const { file, document } = await provisionIdentity(server.api, { organisation, principal, ...more });
  return { file, identity: await readIdentity(JSON.stringify(file)), jws: document.jws ?? '' };
}

/** Values as they come, to be waited for one after the other. */
export function arrivals<T>(): { put(value: T): void; next(): Promise<T>; readonly all: readonly T[] } {
  const all: T[] = [];
  const waiting: ((value: T) => void)[] = [];
  let taken = 0;
  return {
    all,
    put(value) {
      all.push(value);
      const first = waiting.shift();
      if (first === undefined) return;
      taken++;
      first(value);
    },
    next: () =>
      taken < all.length ? Promise.resolve(all[taken++] as T) : new Promise<T>((resolve) => waiting.push(resolve)),
  };
}
