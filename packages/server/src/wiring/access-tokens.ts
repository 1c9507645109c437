import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '@sallyport/model';
import { secretBox } from '@sallyport/trust/secrets';
import {
  type AccessTokenOptions,
  accessTokenAuthenticator,
  accessTokenMethod,
} from '../authentication/access-token.ts';
import type { Authenticator } from '../authentication/authenticator.ts';
import type { ExchangeMethod } from '../authentication/exchange-method.ts';
import { Introspection } from '../authentication/introspection.ts';
import { issuerClient } from '../authentication/issuer-client.ts';
import { askIssuer } from '../authentication/issuer-request.ts';
import type { IssuerTrust } from '../authentication/issuer-standing.ts';
import { keptTokens } from '../authentication/kept-tokens.ts';
import { KeySets } from '../authentication/key-sets.ts';
import type { KnownIssuer } from '../authentication/known-issuer.ts';
import type { Find } from '../authentication/known-principal.ts';
import { readSigningKeys, type TokenAlgorithm } from '../authentication/signing-keys.ts';
import { whenReady } from '../authentication/when-ready.ts';
import type { Configuration } from '../config/schema.ts';
import type { Installation } from '../installation.ts';
import type { Issuers } from '../registry/issuers.ts';
import type { Issuer } from '../registry/records.ts';
import { readPrivateFile } from '../storage/private-file.ts';
import { OWN_ISSUER, type ownIssuers } from './own-issuers.ts';

/** Folder of the data directory for what this server proves itself by to others. */
const SECRETS_FOLDER = 'secrets';
const RENEWAL = 60_000;

export interface AccessTokensOptions extends Pick<Installation, 'registry' | 'authority' | 'directory' | 'tokenKey'> {
  readonly configuration: Pick<Configuration, 'accessTokens'>;
  readonly findPrincipal: Find;
  /** The embedded authorization servers, if there are any. */
  readonly own?: ReturnType<typeof ownIssuers> | undefined;
  readonly now: () => number;
}

/** Access tokens: what judges them at the first door, and afterwards. */
export interface AccessTokens {
  readonly authenticator: Authenticator;
  readonly method: ExchangeMethod;
  readonly trust: IssuerTrust;
  /** Told that the embedded authorization server of an organisation has taken tokens back: what it said before is not believed. */
  revoked(organisation: string): void;
  close(): void;
}

export function accessTokens({
  registry,
  authority,
  directory,
  tokenKey,
  configuration: { accessTokens: settings },
  findPrincipal,
  own,
  now,
}: AccessTokensOptions): AccessTokens {
  const { authorityFile } = settings;
  const ask = askIssuer({
    timeout: settings.requestTimeout,
    authorities: [authority.rootPem, ...(authorityFile === 'none' ? [] : [readAuthorities(authorityFile)])],
  });
  const keySets = new KeySets({ ask, now, refresh: settings.keyRefresh, outage: settings.keyOutage });
  const proveClient = issuerClient({ readSecret: (name) => readSecret(join(directory, SECRETS_FOLDER, name)), now });
  const kept = keptTokens(secretBox(tokenKey, 'sallyport access tokens of sessions'));
  const introspection = new Introspection({
    kept,
    ask: own ? own.answering(ask) : ask,
    proveClient: own ? own.proving(proveClient) : proveClient,
    now,
    outage: settings.introspectionOutage,
  });
  const added = knownIssuers(registry.issuers);
  const known = () =>
    whenReady(added(), (others) =>
      own ? own.all().then((builtIn) => [...others, ...builtIn.filter((one) => !others.some(sameAs(one)))]) : others,
    );
  const options: AccessTokenOptions = {
    findIssuers: ({ organisation, issuer }) =>
      whenReady(known(), (all) =>
        all.filter(
          (one) =>
            (organisation === undefined || one.organisation === organisation) &&
            (issuer === undefined ? one.tokens === 'opaque' : one.issuer === issuer),
        ),
      ),
    keySets,
    introspect: introspection.introspect,
    kept,
    findPrincipal,
    now,
  };
  const renewal = setInterval(() => void keySets.renew(), RENEWAL);
  renewal.unref();
  return {
    authenticator: accessTokenAuthenticator(options),
    method: accessTokenMethod(options),
    trust: {
      findIssuer: ({ organisation, id }) =>
        whenReady(known(), (all) => all.find((one) => one.organisation === organisation && one.id === id)),
      introspection,
    },
    revoked: (organisation) => introspection.distrust({ organisation, id: OWN_ISSUER }),
    close: () => clearInterval(renewal),
  };
}

/** An issuer that was added by hand, with settings of its own, stands in place of the built-in one. */
function sameAs({ organisation, issuer }: KnownIssuer) {
  return (other: KnownIssuer): boolean => other.organisation === organisation && other.issuer === issuer;
}

/** Issuers as the registry has them, with keys that are given read once. */
function knownIssuers({ all }: Pick<Issuers, 'all'>): () => readonly KnownIssuer[] | Promise<readonly KnownIssuer[]> {
  let of: readonly Issuer[] | undefined;
  let known: readonly KnownIssuer[] = [];
  return () =>
    whenReady(all(), (issuers) => {
      if (issuers !== of) [of, known] = [issuers, issuers.map(knownIssuer)];
      return known;
    });
}

function knownIssuer({ keys: text, algorithms, ...issuer }: Issuer): KnownIssuer {
  const read = text === undefined ? undefined : readSigningKeys(text);
  return {
    ...issuer,
    algorithms: algorithms as readonly TokenAlgorithm[],
    // What was checked when it came and cannot be read now has no key that fits.
    ...(read === undefined ? {} : { keys: read.ok ? read.keys : [] }),
  };
}

function readSecret(path: string): string {
  const content = readPrivateFile(path);
  if (content === undefined) throw new Error(`the file ${path} is not there`);
  return content.toString('utf8');
}

function readAuthorities(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Failure('configuration_invalid', `accessTokens.authorityFile: ${path} cannot be read.`, { cause });
  }
}
