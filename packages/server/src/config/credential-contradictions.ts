import { CONFIGURATION, type Configuration } from './schema.ts';
import type { Source } from './source.ts';

type Complain = (key: string, problem: string) => void;

/** Settings of tokens, guessing and one-time codes that cannot hold together. */
export function credentialContradictions(
  configuration: Configuration,
  source: Pick<Source, 'setIn'>,
  complain: Complain,
): void {
  /** The one that a person has set is the one to correct, not the default that it meets. */
  const notAbove = (smaller: readonly [string, number], larger: readonly [string, number], why: string) => {
    if (smaller[1] <= larger[1]) return;
    const [named, met, word] = source.setIn(smaller[0]) ? [smaller, larger, 'more'] : [larger, smaller, 'less'];
    complain(named[0], `is ${word} than ${met[0]}: ${why}`);
  };
  const defaults = CONFIGURATION.parse({});
  /** Set to something that would have a meaning elsewhere; a default that is written out does no harm. */
  const useless = <T extends object>(section: string, set: T, standard: T, why: string) => {
    for (const key of Object.keys(set) as (keyof T & string)[]) {
      const full = `${section}.${key}`;
      if (source.setIn(full) && set[key] !== standard[key]) complain(full, `is set, but ${why}`);
    }
  };
  const { accessTokens, authorizationServer: server, guessing, unlock } = configuration;

  notAbove(
    ['accessTokens.keyRefresh', accessTokens.keyRefresh],
    ['accessTokens.keyOutage', accessTokens.keyOutage],
    'keys would stop counting before they are fetched again, and everybody be refused until then',
  );

  const { organisations, ...others } = server;
  if (organisations.length === 0) {
    useless(
      'authorizationServer',
      others,
      defaults.authorizationServer,
      'authorizationServer.organisations names nobody, so there is no authorization server',
    );
  }
  for (const [index, id] of organisations.entries()) {
    if (organisations.indexOf(id) !== index)
      complain(`authorizationServer.organisations.${index}`, `names ${id} twice`);
  }
  notAbove(
    ['authorizationServer.accessTokenLifetime', server.accessTokenLifetime],
    ['authorizationServer.refreshTokenLifetime', server.refreshTokenLifetime],
    'what renews an access token would end before it',
  );
  if (server.deviceInterval >= server.deviceCodeLifetime) {
    complain(
      'authorizationServer.deviceInterval',
      'is not shorter than authorizationServer.deviceCodeLifetime: a device could ask only once',
    );
  }
  notAbove(
    ['authorizationServer.maximumPendingDevices', server.maximumPendingDevices],
    ['authorizationServer.maximumTokens', server.maximumTokens],
    'each device that waits takes one of them',
  );
  if (server.publicCertificateUrl !== 'none' && server.publicCertificateUrl === server.publicUrl) {
    complain(
      'authorizationServer.publicCertificateUrl',
      'is authorizationServer.publicUrl: a port either asks everybody for a certificate, or nobody',
    );
  }

  if (!guessing.enabled) {
    const { enabled: _, ...rest } = guessing;
    useless('guessing', rest, defaults.guessing, 'guessing.enabled is false, so nothing is counted');
  }
  notAbove(
    ['guessing.block', guessing.block],
    ['guessing.maximumBlock', guessing.maximumBlock],
    'the first block would be longer than the longest',
  );
  notAbove(
    ['guessing.failuresPerPrincipal', guessing.failuresPerPrincipal],
    ['guessing.failuresPerAddress', guessing.failuresPerAddress],
    'an address would be blocked for all before it is blocked for one',
  );

  notAbove(
    ['unlock.attempts', unlock.attempts],
    ['unlock.maximumFailures', unlock.maximumFailures],
    'the last tries of a session would never be looked at',
  );
  const { mail, webHook } = unlock;
  if (mail.host === '') {
    const { host: _, ...rest } = mail;
    useless('unlock.mail', rest, defaults.unlock.mail, 'unlock.mail.host is not, so no mail is sent');
  } else {
    if (mail.from === '') complain('unlock.mail.host', 'is set, but unlock.mail.from is not: a mail needs a sender');
    if ((mail.username === '') !== (mail.passwordFile === '')) {
      complain(
        `unlock.mail.${mail.username === '' ? 'passwordFile' : 'username'}`,
        'is set alone; user name and passwordFile belong together',
      );
    }
    if (mail.implicitTls && mail.allowPlaintextMail) {
      complain(
        'unlock.mail.allowPlaintextMail',
        'is true, and unlock.mail.implicitTls too: with that there is TLS always',
      );
    }
  }
  if (webHook.url === '') {
    const { url: _, ...rest } = webHook;
    useless('unlock.webHook', rest, defaults.unlock.webHook, 'unlock.webHook.url is not, so no web service is asked');
  } else if (webHook.secretFile === '') {
    complain('unlock.webHook.url', 'is set, but unlock.webHook.secretFile is not: requests could not be signed');
  }
}
