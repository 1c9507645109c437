import { join } from 'node:path';
import { connectionRate } from '../generator/connection-rate.ts';
import { median, spread } from '../statistics.ts';
import { withAccessTokens } from './access-tokens.ts';
import { enrolments, lists } from './authority-work.ts';
import { type IntrospectedLogins, withIntrospection } from './introspected-logins.ts';
import { type SecurityPeer, startMosquittoWithCertificates, startSallyportWithPast } from './peers.ts';
import { withScram } from './scram-logins.ts';

export interface SecurityOptions {
  /** An empty folder. */
  readonly folder: string;
  readonly runs: number;
  /** Milliseconds, like `duration`. */
  readonly warmup: number;
  readonly duration: number;
  /** Certificates that are revoked where many are. */
  readonly revoked: number;
  readonly cores: string | undefined;
  readonly say: (line: string) => void;
}

export interface SecurityResult {
  readonly rows: readonly Record<string, string | number>[];
  readonly remarks: readonly string[];
}

/** Clients that connect over and over, each one connection at a time. */
const CLIENTS = 16;

interface Workload {
  readonly name: string;
  readonly peer: SecurityPeer;
  readonly certificates: boolean;
  readonly resume: boolean;
  /** The row that it is held against. */
  readonly beside: string;
}

/** Handshakes of every kind, lists and enrolments, with few and with very many certificates revoked, beside mosquitto. */
export async function benchSecurity(options: SecurityOptions): Promise<SecurityResult> {
  const { folder, revoked, cores, say } = options;
  const started: SecurityPeer[] = [];
  let opaque: IntrospectedLogins | undefined;
  const keep = <P extends SecurityPeer>(peer: P): P => {
    started.push(peer);
    return peer;
  };
  const place = (name: string) => ({ folder: join(folder, name), clients: CLIENTS, cores });
  try {
    say(`Preparing servers with none and with ${revoked} revoked certificates…`);
    const few = keep(await startSallyportWithPast({ ...place('few'), revoked: 0 }));
    const many = keep(await startSallyportWithPast({ ...place('many'), revoked }));
    const open = keep(await startMosquittoWithCertificates({ ...place('m-open'), revoked: 'anonymous' }));
    const plain = keep(await startMosquittoWithCertificates({ ...place('m-plain'), revoked: 'no list' }));
    const listed = keep(await startMosquittoWithCertificates({ ...place('m-listed'), revoked }));
    const [WITHOUT, MUTUAL, RESUMED] = [
      'mosquitto: TLS, no login',
      'mosquitto: mutual TLS, no list',
      'mosquitto: resumed',
    ];
    opaque = await withIntrospection(few, join(folder, 'few'));
    const workloads: Workload[] = [
      { name: WITHOUT, peer: open, certificates: false, resume: false, beside: WITHOUT },
      { name: 'sallyport: TLS, token', peer: few, certificates: false, resume: false, beside: WITHOUT },
      {
        name: 'sallyport: TLS, access token ES256',
        peer: { ...few, byToken: await withAccessTokens(few, 'ES256') },
        certificates: false,
        resume: false,
        beside: WITHOUT,
      },
      {
        name: 'sallyport: TLS, access token EdDSA',
        peer: { ...few, byToken: await withAccessTokens(few, 'EdDSA') },
        certificates: false,
        resume: false,
        beside: WITHOUT,
      },
      {
        name: 'sallyport: TLS, SCRAM-SHA-256',
        peer: { ...few, byToken: await withScram(few) },
        certificates: false,
        resume: false,
        beside: WITHOUT,
      },
      {
        name: 'sallyport: TLS, opaque token, answer remembered',
        peer: { ...few, byToken: opaque.warm },
        certificates: false,
        resume: false,
        beside: WITHOUT,
      },
      {
        name: 'sallyport: TLS, opaque token, asked each time',
        peer: { ...few, byToken: opaque.cold },
        certificates: false,
        resume: false,
        beside: WITHOUT,
      },
      { name: MUTUAL, peer: plain, certificates: true, resume: false, beside: MUTUAL },
      {
        name: `mosquitto: mutual TLS, list of ${revoked}`,
        peer: listed,
        certificates: true,
        resume: false,
        beside: MUTUAL,
      },
      { name: 'sallyport: mutual TLS, 0 revoked', peer: few, certificates: true, resume: false, beside: MUTUAL },
      {
        name: `sallyport: mutual TLS, ${revoked} revoked`,
        peer: many,
        certificates: true,
        resume: false,
        beside: MUTUAL,
      },
      { name: RESUMED, peer: plain, certificates: true, resume: true, beside: RESUMED },
      {
        name: 'sallyport: resumed, certificate judged anew',
        peer: few,
        certificates: true,
        resume: true,
        beside: RESUMED,
      },
    ];
    const found = await runAll(workloads, options);
    const rows = workloads.map(({ name, beside }) => rowOf(name, found.get(name) ?? [], found.get(beside) ?? []));
    const cost = costOf(
      found.get('sallyport: mutual TLS, 0 revoked'),
      found.get(`sallyport: mutual TLS, ${revoked} revoked`),
    );
    const remarks = [
      `The authorization server of opaque tokens was asked ${opaque.asked()} times.`,
      `${revoked} revoked certificates cost a handshake ${cost} (pairs of neighbouring runs).`,
    ];
    for (const [name, peer] of [
      ['0', few],
      [String(revoked), many],
    ] as const) {
      say(`Lists with ${name} revoked…`);
      remarks.push(await lists(peer, `${name} revoked`));
    }
    say('Enrolments…');
    remarks.push(await enrolments(many, options.duration));
    return { rows, remarks };
  } finally {
    await opaque?.close();
    await Promise.all(started.map((peer) => peer.stop()));
  }
}

interface Run {
  readonly rate: number;
  readonly perCpu: number;
  readonly resumed: number;
}

/** Peers take turns run by run, so that a noisy minute hits all of them. */
async function runAll(workloads: readonly Workload[], options: SecurityOptions): Promise<Map<string, Run[]>> {
  const found = new Map<string, Run[]>();
  for (let run = 0; run < options.runs; run++) {
    for (const { name, peer, certificates, resume } of workloads) {
      const stretch = await connectionRate(certificates ? peer.byCertificate : peer.byToken, peer.target, {
        serverPid: peer.pid,
        warmup: options.warmup,
        duration: options.duration,
        resume,
      });
      const { count, seconds, serverCpu, resumed, total } = stretch;
      const one = { rate: count / seconds, perCpu: count / serverCpu, resumed: resumed / Math.max(1, total) };
      found.set(name, [...(found.get(name) ?? []), one]);
      options.say(`${name}: ${Math.round(one.rate)}/s, ${Math.round(one.perCpu)} per CPU s`);
    }
  }
  return found;
}

function rowOf(name: string, own: readonly Run[], other: readonly Run[]): Record<string, string | number> {
  const perCpu = (runs: readonly Run[]) => runs.map((run) => run.perCpu);
  const resumed = median(own.map((run) => run.resumed));
  return {
    workload: name,
    'per s': Math.round(median(own.map((run) => run.rate))),
    'per CPU s': Math.round(median(perCpu(own))),
    resumed: `${Math.round(resumed * 100)} %`,
    spread: `${Math.round(spread(perCpu(own)) * 100)} %`,
    'x mosquitto': Number((median(perCpu(own)) / median(perCpu(other))).toFixed(2)),
  };
}

/** Runs that followed each other are compared, and the middle of it is told. */
function costOf(few: readonly Run[] = [], many: readonly Run[] = []): string {
  const costs = few.map((run, index) => run.perCpu / (many[index]?.perCpu ?? Number.NaN) - 1);
  return `${(median(costs) * 100).toFixed(1)} %`;
}
