import type { ServerCredentials } from '../authority/authority.ts';
import type { ServerEvent } from '../events/events.ts';
import type { Installation } from '../installation.ts';
import { clientAuthorities } from '../listeners/client-authorities.ts';
import type { EnrolmentListener } from './enrolment.ts';
import type { MqttListeners } from './mqtt-listeners.ts';

const DAY = 24 * 60 * 60_000;

/** What a port that asks for client certificates shows: certificate and key of the server, and the authorities that it trusts. */
export async function clientFacingCredentials({
  registry,
  authority,
}: Pick<Installation, 'registry' | 'authority'>): Promise<ServerCredentials> {
  const ca = await clientAuthorities(registry, authority);
  return { ...authority.serverCredentials(), ca };
}

/** Keeps the open ports to the certificates of now. */
export interface ServerCredentialsKeeper {
  /** Other authorities are trusted: the ports that ask clients for certificates name them. A failure is told as a defect. */
  nameAuthorities(): void;
  /** The certificates of the server itself are others: every port shows them when this resolves. */
  renew(): Promise<void>;
  close(): void;
}

/** Hands what changes to the open ports; renews the server's own certificate each day that it nears its end. */
export function keepServerCredentials({
  installation,
  mqtt,
  enrolment,
  renewHttps,
  emit,
}: {
  readonly installation: Pick<Installation, 'registry' | 'authority'>;
  readonly mqtt: Pick<MqttListeners, 'setCredentials'>;
  readonly enrolment: Pick<EnrolmentListener, 'setCredentials'> | undefined;
  readonly renewHttps: () => void;
  readonly emit: (event: ServerEvent) => void;
}): ServerCredentialsKeeper {
  const { authority } = installation;
  let handing: Promise<void> = Promise.resolve();
  const handOver = (doors: 'mqtt' | 'all'): Promise<void> => {
    // One after the other: the last change is the one that stays.
    const handed = handing.then(async () => {
      const credentials = await clientFacingCredentials(installation);
      await mqtt.setCredentials(credentials);
      enrolment?.setCredentials(credentials);
      if (doors === 'all') renewHttps();
    });
    handing = handed.catch(() => {});
    return handed;
  };
  const defect = (where: string) => (problem: unknown) => emit({ type: 'defect', where, problem: String(problem) });
  const renewal = setInterval(() => {
    authority
      .renewServerCertificate()
      .then((renewed) => (renewed ? handOver('all') : undefined))
      .catch(defect('renewal of the server certificate'));
  }, DAY);
  renewal.unref();
  return {
    nameAuthorities: () => void handOver('mqtt').catch(defect('authorities named to clients')),
    renew: () => handOver('all'),
    close: () => clearInterval(renewal),
  };
}
