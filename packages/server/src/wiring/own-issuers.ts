import type { ClientProof } from '../authentication/issuer-client.ts';
import type { AskIssuer } from '../authentication/issuer-request.ts';
import type { KnownIssuer } from '../authentication/known-issuer.ts';
import { readSigningKeys, type SigningKey } from '../authentication/signing-keys.ts';
import type { AuthorizationServer } from '../oauth/authorization-server.ts';
import { tokenNames } from '../oauth/own-tokens.ts';
import type { Revocation } from '../oauth/revoked-tokens.ts';
import { SIGNING_ALGORITHM } from '../oauth/signing-keys.ts';

/** No issuer that somebody adds can have this name. */
export const OWN_ISSUER = 'builtin:authorization-server';
const CLOCK_SKEW = 5;
/** Seconds. What is revoked is told by event; this is for what might have been missed. */
const CACHE = 60;

/**
 * The embedded authorization servers as issuers that their organisations trust without being told, and asked without the network.
 * A withdrawn key is worth nothing from that moment on.
 */
export function ownIssuers(server: AuthorizationServer) {
  const introspectionUrl = (organisation: string) => `${server.issuerOf(organisation)}/token/introspection`;

  /** Read once: a login must not pay for it. */
  const read = new Map<string, { readonly text: string; readonly keys: readonly SigningKey[] }>();
  function keysOf(organisation: string, text: string): readonly SigningKey[] {
    const before = read.get(organisation);
    if (before?.text === text) return before.keys;
    const set = readSigningKeys(text);
    const keys = set.ok ? set.keys : [];
    read.set(organisation, { text, keys });
    return keys;
  }

  async function known({
    organisation,
    generation,
  }: {
    organisation: string;
    generation: number;
  }): Promise<KnownIssuer> {
    const { accessTokens, accessTokenLifetime } = server.terms;
    const same = {
      organisation,
      id: OWN_ISSUER,
      version: generation,
      issuer: server.issuerOf(organisation),
      audience: server.audienceOf(organisation),
      algorithms: [SIGNING_ALGORITHM] as const,
      typ: 'at+jwt',
      clockSkew: CLOCK_SKEW,
      longestLife: Math.ceil(accessTokenLifetime / 1000),
      principal: '{sub}',
      grants: 'optional' as const,
      requireBound: false,
    };
    if (accessTokens === 'opaque') {
      const introspection = { url: introspectionUrl(organisation), clientId: OWN_ISSUER, cache: CACHE };
      return { ...same, tokens: 'opaque', introspection };
    }
    const find = await server.revocationFinder(organisation);
    return {
      ...same,
      tokens: 'signed',
      revocations: {
        namesOf: tokenNames,
        find(names) {
          const revocation = find(names);
          return revocation && textOf(revocation);
        },
      },
      keys: keysOf(organisation, JSON.stringify({ keys: await server.publicKeys(organisation) })),
    };
  }

  return {
    /** Those of all organisations that have one. */
    all: async (): Promise<readonly KnownIssuer[]> => Promise.all((await server.served()).map(known)),
    /** Answers what concerns this server itself, and passes everything else on. */
    answering:
      (ask: AskIssuer): AskIssuer =>
      async (request) => {
        const served = await server.served();
        const own = served.find(({ organisation }) => introspectionUrl(organisation) === request.url);
        if (!own) return ask(request);
        return JSON.stringify(await server.introspect(own.organisation, request.form?.token ?? ''));
      },
    /** Nothing has to be proven to oneself. */
    proving:
      (prove: (issuer: KnownIssuer) => Promise<ClientProof>) =>
      (issuer: KnownIssuer): Promise<ClientProof> =>
        issuer.id === OWN_ISSUER ? Promise.resolve({ form: {}, headers: {} }) : prove(issuer),
  };
}

function textOf({ kind, name, revokedAt, revokedBy }: Revocation): string {
  const when = `by ${revokedBy} at ${new Date(revokedAt).toISOString()}`;
  if (kind === 'token') return `The access token ${name} was revoked ${when}.`;
  if (kind === 'approval') return `The approval that the access token came from was ended ${when}.`;
  return `All access tokens that ${name} had until then were revoked ${when}.`;
}
