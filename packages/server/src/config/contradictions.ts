import { credentialContradictions } from './credential-contradictions.ts';
import { organisationContradictions } from './organisation-contradictions.ts';
import type { Configuration } from './schema.ts';
import type { Source } from './source.ts';

/** What cannot hold together, each with the place of the key to change. */
export function contradictions(configuration: Configuration, source: Source): string[] {
  const found: string[] = [];
  const complain = (key: string, problem: string) => {
    found.push(`${source.where(key.split('.'))}: ${key}: ${problem}`);
  };
  closedListeners(configuration, source, complain);
  ports(configuration, source, complain);
  pairs(configuration, source, complain);
  authorizationServer(configuration, complain);
  credentialContradictions(configuration, source, complain);
  alerts(configuration, complain);
  found.push(...organisationContradictions(configuration, source));
  return found;
}

type Complain = (key: string, problem: string) => void;

/** What is said of a listener, and the key that opens it. Keys that other listeners follow too are not among them. */
const LISTENERS = [
  {
    name: 'mqttTls',
    opens: 'enabled',
    keys: ['port', 'address', 'clientCertificates', 'maximumConnections', 'proxyAddresses'],
  },
  {
    name: 'mqttPlain',
    opens: 'allowPlaintextListener',
    keys: ['port', 'address', 'maximumConnections', 'proxyAddresses'],
  },
  { name: 'revocationHttp', opens: 'enabled', keys: ['port', 'address', 'maximumConnections'] },
  { name: 'enrolment', opens: 'enabled', keys: ['port', 'address'] },
] as const;

function closedListeners({ listeners }: Configuration, source: Source, complain: Complain): void {
  for (const { name, opens, keys } of LISTENERS) {
    if ((listeners[name] as Readonly<Record<string, unknown>>)[opens] === true) continue;
    for (const key of keys) {
      const full = `listeners.${name}.${key}`;
      if (!source.setIn(full)) continue;
      complain(full, `is set, but listeners.${name}.${opens} is false, so nothing would listen there`);
    }
  }
}

function alerts({ incidents, unlock }: Configuration, complain: Complain): void {
  const { mail, webHook, mqtt } = incidents.alerts;
  if (mail.to.length > 0 && unlock.mail.host === '')
    complain('incidents.alerts.mail.to', 'names whom to mail, but unlock.mail.host names no mail server');
  if (webHook.url.startsWith('http:') && !webHook.allowPlaintextHook)
    complain('incidents.alerts.webHook.url', 'is not https, and incidents.alerts.webHook.allowPlaintextHook is false');
  if (webHook.url !== '' && webHook.secretFile === '')
    complain('incidents.alerts.webHook.url', 'is set, but incidents.alerts.webHook.secretFile is empty');
  if (mqtt.serverOrganisation !== '' && !mqtt.enabled)
    complain('incidents.alerts.mqtt.serverOrganisation', 'is set, but incidents.alerts.mqtt.enabled is false');
}

function ports({ listeners }: Configuration, source: Source, complain: Complain): void {
  const open = [
    { key: 'listeners.mqttTls', ...listeners.mqttTls, on: listeners.mqttTls.enabled },
    { key: 'listeners.mqttPlain', ...listeners.mqttPlain, on: listeners.mqttPlain.allowPlaintextListener },
    { key: 'listeners.http', ...listeners.http, on: true },
    { key: 'listeners.revocationHttp', ...listeners.revocationHttp, on: listeners.revocationHttp.enabled },
    { key: 'listeners.enrolment', ...listeners.enrolment, on: listeners.enrolment.enabled },
  ].filter((listener) => listener.on && listener.port !== 0);
  for (const [index, one] of open.entries()) {
    for (const other of open.slice(index + 1)) {
      if (one.port !== other.port || !overlap(one.address, other.address)) continue;
      // The one that a person has set is the one to correct, not the default that it runs into.
      const [named, met] = source.setIn(`${other.key}.port`) ? [other, one] : [one, other];
      complain(`${named.key}.port`, `is ${named.port}, and ${met.key} listens on that port too`);
    }
  }
}

function overlap(one: string, other: string): boolean {
  const everywhere = (address: string) => address === '0.0.0.0' || address === '::';
  return one === other || everywhere(one) || everywhere(other);
}

function pairs({ limits }: Configuration, source: Source, complain: Complain): void {
  const atMost = (smaller: keyof typeof limits, larger: keyof typeof limits) => {
    if (limits[smaller] <= limits[larger]) return;
    const [named, met] = source.setIn(`limits.${smaller}`) ? [smaller, larger] : [larger, smaller];
    complain(`limits.${named}`, named === smaller ? `is larger than limits.${met}` : `is smaller than limits.${met}`);
  };
  atMost('maximumPayloadSize', 'maximumPacketSize');
  atMost('maximumUnsentSize', 'maximumUnsentSizeHard');
}

function authorizationServer({ authorizationServer: server, listeners }: Configuration, complain: Complain): void {
  if (server.publicCertificateUrl !== 'none' && !listeners.enrolment.enabled) {
    complain(
      'authorizationServer.publicCertificateUrl',
      'is set, but listeners.enrolment.enabled is false, so no client would be asked for a certificate',
    );
  }
  if (server.keyOverlap < server.accessTokenLifetime) {
    complain(
      'authorizationServer.keyOverlap',
      'is shorter than authorizationServer.accessTokenLifetime: tokens would outlive the key that proves them',
    );
  }
  if (server.keyLifetime <= server.keyOverlap) {
    complain('authorizationServer.keyLifetime', 'is not longer than authorizationServer.keyOverlap');
  }
}
