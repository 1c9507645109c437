import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ManagementFailure } from '@sallyport/application/management';
import { Failure, principalName } from '@sallyport/model';
import { type Administration, all } from '../administration.ts';
import { type DeviceFiles, deviceFiles } from '../device-files.ts';
import { listFileNames } from '../list-file.ts';
import { passphrase } from '../passphrase.ts';
import { createProgress } from '../progress.ts';
import { isMilestone, progressBar } from '../progress-bar.ts';
import { NegativeAnswer, UsageError } from '../report-failure.ts';

export interface IssueManyOptions {
  readonly devices?: string;
  readonly all?: boolean;
  readonly out?: string;
  readonly rate?: number;
  readonly pkcs12?: string;
  readonly passwordFile?: string;
  readonly expiresIn?: string;
  readonly csr?: string;
  readonly claim?: string;
}

interface Summary {
  readonly folder: string;
  issued: number;
  /** There before, and left as it was. */
  present: number;
  readonly failed: { readonly device: string; readonly problem: string }[];
  /** Left when the person asked to stop. */
  left: number;
}

const USUAL_RATE = 20;
/** A name that stands where a device stands must not come back as megabytes of text. */
const DEVICES_MAXIMUM = 1_000_000;
const FAILURES_SHOWN = 20;

/**
 * Certificates for many devices of a type, each with a key that is made here. What the folder holds already is left alone, so that a run
 * that broke off is simply run again.
 */
export async function issueMany(
  administration: Administration,
  type: string,
  device: string | undefined,
  options: IssueManyOptions,
): Promise<void> {
  const { terminal } = administration;
  const folder = demanded(device, options);
  const organisation = await administration.organisation();
  const { class: deviceClass } = await administration.management.types.get({ organisation, id: type });
  const ids = options.all
    ? (await all((page) => administration.management.devices.listOfType({ organisation, id: type }, page))).map(
        ({ id }) => id,
      )
    : await listFileNames(terminal, options.devices ?? '-');
  if (ids.length === 0)
    throw new UsageError('There are no devices.', 'Name a file with an id on each line, or register devices first.');
  if (ids.length > DEVICES_MAXIMUM)
    throw new UsageError(`${ids.length} devices are too many for one run.`, `At most ${DEVICES_MAXIMUM}.`);
  const question = 'Password of the PKCS#12 files';
  const password =
    options.passwordFile === undefined
      ? undefined
      : await passphrase({ question, file: options.passwordFile, isNew: true }, terminal);
  await makeFolder(folder);
  const files = deviceFiles({ folder, type, password });

  const summary: Summary = { folder, issued: 0, present: 0, failed: [], left: 0 };
  const { signal, pause } = pace(options.rate ?? USUAL_RATE, terminal.stop);
  const title = `Certificates for ${ids.length} devices of the type ${type}`;
  await createProgress(terminal).step(
    title,
    async (say) => {
      for (const [index, id] of ids.entries()) {
        if (signal.aborted) {
          summary.left = ids.length - index;
          break;
        }
        await issueOne({ administration, organisation, type, deviceClass, id, files, summary, pause, options });
        const done = index + 1;
        if (terminal.interactive || isMilestone(done, ids.length))
          say(progressBar(done, ids.length, terminal.interactive));
      }
    },
    () => `${title}: ${sentence(summary)}`,
  );
  show(administration, summary);
  if (summary.failed.length > 0 || summary.left > 0) throw new NegativeAnswer();
}

function demanded(device: string | undefined, { csr, claim, devices, all, out, pkcs12 }: IssueManyOptions): string {
  if (device !== undefined) throw new UsageError('--type is for many devices.', `Leave ${device} out.`);
  if (csr !== undefined || claim !== undefined)
    throw new UsageError('--type makes a key for each device.', 'Leave --csr and --claim out.');
  if (devices === undefined && !all)
    throw new UsageError('For which devices?', 'Give --devices FILE with an id on each line, or --all.');
  if (pkcs12 !== undefined)
    throw new UsageError(
      '--pkcs12 names one file.',
      'Give --password-file alone: it makes a file ID.p12 for each device.',
    );
  if (out === undefined) throw new UsageError('Where to?', 'Give the folder with --out DIR.');
  return out;
}

/** One device. What is wrong with it alone is put into the summary; what is wrong with the server or the disk ends the run. */
async function issueOne({
  administration: { management, output },
  organisation,
  type,
  deviceClass,
  id,
  files,
  summary,
  pause,
  options: { expiresIn },
}: {
  readonly administration: Administration;
  readonly organisation: string;
  readonly type: string;
  readonly deviceClass: 'device' | 'gateway';
  readonly id: string;
  readonly files: DeviceFiles;
  readonly summary: Summary;
  readonly pause: (least?: number) => Promise<void>;
  readonly options: IssueManyOptions;
}): Promise<void> {
  try {
    if (await files.isPresent(id)) {
      summary.present += 1;
      return;
    }
    const { csr, keep } = await files.begin(id);
    const body = {
      principal: principalName({ kind: deviceClass, organisation, type, id }),
      csr,
      ...(expiresIn === undefined ? {} : { expiresIn }),
    };
    for (;;) {
      await pause();
      try {
        const { chainPem } = await management.certificates.issue(organisation, body);
        await keep(chainPem);
        summary.issued += 1;
        return;
      } catch (problem) {
        if (!(problem instanceof ManagementFailure) || problem.code !== 'too_many_requests') throw problem;
        // The server's own bound is lower than the rate, or somebody else uses it too.
        await pause((problem.retryAfter ?? 1) * 1000);
      }
    }
  } catch (problem) {
    if (!(problem instanceof Failure) || !OF_THE_DEVICE.has(problem.code)) throw problem;
    summary.failed.push({ device: id, problem: problem.message });
    if (summary.failed.length <= FAILURES_SHOWN) output.note(`${id}: ${problem.message}`);
  }
}

const OF_THE_DEVICE: ReadonlySet<string> = new Set(['not_found', 'invalid_request', 'already_exists', 'conflict']);

/** Waits so that no more than `rate` turns come in a second; a wish to stop ends the waiting. */
function pace(rate: number, signal: AbortSignal) {
  const step = 1000 / rate;
  let next = performance.now();
  return {
    signal,
    async pause(least = 0): Promise<void> {
      const at = performance.now();
      next = Math.max(next + step, at - step, at + least);
      if (next > at && !signal.aborted) await sleep(next - at, undefined, { signal }).catch(() => {});
    },
  };
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (cause) {
    throw new Failure('invalid_request', `The folder ${folder} cannot be made.`, {
      cause,
      cure: 'Name another with --out.',
    });
  }
}

function show({ output, terminal }: Administration, summary: Summary): void {
  const { failed, left, folder } = summary;
  if (failed.length > FAILURES_SHOWN) output.note(`… and ${failed.length - FAILURES_SHOWN} more that failed`);
  if (left > 0) terminal.err('Stopped. Run the same command again: what is there is left alone.');
  output.text(`${sentence(summary)}; in ${join(folder, '.')}`, summary);
}

function sentence({ issued, present, failed, left }: Summary): string {
  return [
    `${issued} issued`,
    `${present} there already`,
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
    ...(left > 0 ? [`${left} left`] : []),
  ].join(', ');
}
