import { randomBytes } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import {
  clientIdOf,
  type DevicePrincipal,
  parseClientId,
  principalName,
  REASONS,
  type TraceStep,
} from '@sallyport/model';
import type { Refusals } from '../audit/refusals.ts';
import type { Requirement } from '../authentication/requirement.ts';
import type { Heard } from '../broker/attend.ts';
import type { BrokerApi } from '../broker/whole-server.ts';
import type { Configuration } from '../config/schema.ts';
import type { EventStream } from '../events/stream.ts';
import {
  type DeviceName,
  type DeviceWord,
  firmwareTopic,
  type ServerWord,
  updateStatusText,
  VERIFICATION_FAILED,
} from '../firmware/device-words.ts';
import { type FirmwareChange, FirmwareDesk } from '../firmware/firmware-desk.ts';
import { Pieces } from '../firmware/pieces.ts';
import { Rollouts } from '../firmware/rollouts.ts';
import type { DeviceVerdict, FirmwareDoorOptions } from '../http/firmware-door.ts';
import type { Installation } from '../installation.ts';
import { socketAddresses } from '../listeners/socket-address.ts';
import { tlsFacts } from '../listeners/tls-facts.ts';
import { insertAuditRows } from '../storage/audit-rows.ts';

/** Failed boots of one device that are told in a minute. */
const FAILED_BOOTS = 20;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** What carries messages to devices. */
type Carrier = Pick<BrokerApi, 'publish' | 'findSession'>;

export interface FirmwareOptions extends Pick<Installation, 'registry' | 'database' | 'directory'> {
  readonly configuration: Configuration;
  readonly events: EventStream;
  readonly now: () => number;
  readonly refuse: Refusals['refuse'];
}

/** Firmware of all organisations, renewed in time, and its rollouts; `stop` ends what runs by the clock. */
export function openFirmware(options: FirmwareOptions) {
  const { registry, database, directory, configuration, events, now, refuse } = options;
  const record = async ({ action, by, organisation, target, details }: FirmwareChange) => {
    const row = { at: now(), type: action, by, target, organisation, outcome: 'done', details };
    await insertAuditRows(database.query, [row]);
    events.emit({ type: 'registry.changed', by, action, target, organisation });
  };
  const desk = new FirmwareDesk({
    directory,
    settings: configuration.firmware,
    now,
    async demandType({ organisation, type }) {
      if (type === undefined) await registry.organisations.get(organisation);
      else await registry.types.get({ organisation, id: type });
    },
    record,
  });
  let carrier: Carrier | undefined;
  const send = ({ organisation, type, id }: DeviceName, rest: string, payload: string | Uint8Array, qos: 0 | 1) =>
    carrier?.publish(organisation, { topic: `iotdm-1/type/${type}/id/${id}/${rest}`, payload, qos });
  const sendWord = (device: DeviceName, { rest, body }: ServerWord) => send(device, rest, JSON.stringify(body), 1);
  const rollouts = new Rollouts({
    database,
    settings: configuration.firmware,
    now,
    random: randomBytes,
    findRelease: (organisation, name) => desk.find(organisation, name),
    async listDevices({ organisation, type, after }) {
      const page = { organisation, type, limit: 500, ...(after === undefined ? {} : { after }) };
      const { items, ...next } = await registry.devices.list(page);
      return { items: items.map(({ id }) => id), ...next };
    },
    async isConnected({ organisation, type, id }) {
      const session = await carrier?.findSession(organisation, clientIdOf({ kind: 'device', organisation, type, id }));
      return session?.connected === true;
    },
    send: sendWord,
    record,
    emit: (event) => events.emit(event),
  });
  const pieces = new Pieces({
    file: (organisation, path) => desk.file(organisation, path),
    send: sendWord,
    // Lost pieces are asked for again, so that nothing waits on disk.
    sendBytes: (device, rest, bytes) => send(device, rest, bytes, 0),
    refuse,
  });
  const watched = (where: string, work: Promise<unknown>) => {
    work.catch((problem: unknown) => events.emit({ type: 'defect', where, problem: String(problem) }));
  };
  const refusals: Told = new Map();
  const failedBoots: Told = new Map();
  const hear = async (device: DeviceName, word: DeviceWord, by: string) => {
    if (word.said === 'piece') return pieces.answer(device, word);
    if (word.said === 'manage' && word.reqId !== undefined) {
      sendWord(device, { rest: 'response', body: { rc: 200, message: 'Success', reqId: word.reqId } });
    }
    const { organisation } = device;
    const principal = principalName({ kind: 'device', ...device });
    const failed = word.said === 'boot' && word.report.outcome !== 'booted';
    if (failed && isNews(failedBoots, `${by} ${principal}`, now(), FAILED_BOOTS)) {
      events.emit({ type: 'firmware.boot', organisation, principal, by, outcome: 'failed', details: word.report });
    }
    if (
      word.said === 'firmware' &&
      word.updateStatus === VERIFICATION_FAILED &&
      isNews(refusals, principal, now(), 1)
    ) {
      events.emit({
        type: 'firmware.refused',
        organisation,
        principal,
        by,
        detail: updateStatusText(VERIFICATION_FAILED),
      });
    }
    await rollouts.hear(device, word);
  };
  const end = events.on('registry.changed', ({ action, organisation }) => {
    if (action !== 'organisation.removed' || organisation === undefined) return;
    desk.forget(organisation);
    watched('rollouts of a removed organisation', rollouts.forget(organisation));
  });
  const renew = async () => {
    for (const { organisation, roles } of await desk.renew()) {
      events.emit({ type: 'firmware.renewed', organisation, roles });
    }
  };
  const timers = [
    setInterval(() => watched('renewal of firmware roles', renew()), HOUR),
    setInterval(() => watched('sweep of rollouts', rollouts.sweep()), MINUTE),
  ];
  for (const timer of timers) timer.unref();
  return {
    desk,
    rollouts,
    /** Who listens to what devices say of their firmware. */
    attend(topic: string) {
      const found = firmwareTopic(topic);
      if (!found) return undefined;
      const { type, id, read } = found;
      return ({ organisation, payload, principal }: Pick<Heard, 'organisation' | 'payload' | 'principal'>) => {
        const word = read(payload);
        if (word) watched('firmware of a device', hear({ organisation, type, id }, word, principalName(principal)));
        return 'passed' as const;
      };
    },
    /** Renews what is due and takes up rollouts; from now on devices are spoken to by `broker`. */
    async start(broker: Carrier) {
      carrier = broker;
      await renew();
      await rollouts.resumeAll();
    },
    stop() {
      for (const timer of timers) clearInterval(timer);
      end();
    },
  };
}

/** What devices say again and again is told so often in a minute, or one that repeats itself would fill the audit trail. */
function isNews(told: Told, principal: string, now: number, most: number): boolean {
  const known = told.get(principal);
  if (known !== undefined && now - known.since < MINUTE) return known.count++ < most;
  if (told.size >= 10_000) told.clear();
  told.set(principal, { since: now, count: 1 });
  return true;
}

type Told = Map<string, { readonly since: number; count: number }>;

/** Lets the first door judge who asks for firmware over HTTPS. */
export function firmwareAuthentication(satisfy: Requirement): FirmwareDoorOptions['authenticate'] {
  return async ({ name, password, socket }): Promise<DeviceVerdict> => {
    const steps: TraceStep[] = [];
    const clientId = clientIdFor(name);
    const satisfaction = await satisfy(
      {
        clientId,
        transport: factsOf(socket),
        ...(password === undefined ? {} : { username: 'use-token-auth', password }),
      },
      steps,
    );
    if (satisfaction.outcome === 'satisfied') return { outcome: 'accepted', principal: satisfaction.grounds.principal };
    const { reason, cure = REASONS[reason].cure } = satisfaction;
    return { outcome: 'refused', reason, steps, cure };
  };
}

/** Nobody is named where only a certificate is shown: it says by itself whose it is. */
function clientIdFor(name: string | undefined) {
  const [organisation = '', type = '', id = '', ...more] = name?.split('/') ?? [];
  const device: DevicePrincipal = { kind: 'device', organisation, type, id };
  const read = more.length === 0 && id !== '' ? parseClientId(clientIdOf(device)) : undefined;
  return read?.ok ? read.value : ({ kind: 'plain', text: '' } as const);
}

function factsOf(socket: TLSSocket) {
  const addresses = socketAddresses(socket) ?? { remoteAddress: '', remotePort: 0, localPort: 0 };
  return tlsFacts(socket, addresses, { listener: 'https', transport: 'tls' });
}
