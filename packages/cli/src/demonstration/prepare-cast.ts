import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Management } from '@sallyport/application/management';
import { Failure } from '@sallyport/model';
import { dataDirectoryPaths } from '../data-directory.ts';

interface CastDevice {
  readonly type: string;
  readonly id: string;
  readonly token: string;
}

interface CastApplication {
  readonly id: string;
  readonly key: string;
  readonly token: string;
}

/** Who plays in the demonstration. Each token is also in a file that only the owner of the data directory can read. */
export interface Cast {
  readonly organisation: string;
  /** The device that the demonstration plays, and one for the lines to paste. */
  readonly device: CastDevice;
  readonly other: CastDevice;
  /** The application that the demonstration plays, and two for the lines to paste. */
  readonly desk: CastApplication;
  readonly tap: CastApplication;
  readonly script: CastApplication;
  /** What did not exist before. */
  readonly made: readonly string[];
}

const ORGANISATION = 'demo';
const TYPE = 'pump';

/** Makes what is missing of the organisation `demo`; what exists is left as it is. */
export async function prepareCast(management: Management, dataDirectory: string): Promise<Cast> {
  const folder = dataDirectoryPaths(dataDirectory).demonstration;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const made: string[] = [];
  /** True if it had to be made. */
  const missing = async (
    what: string,
    find: () => Promise<unknown>,
    make: () => Promise<unknown>,
  ): Promise<boolean> => {
    try {
      await find();
      return false;
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'not_found') throw error;
    }
    await make();
    made.push(what);
    return true;
  };

  const { organisations, types, devices, applications } = management;
  const organisation = ORGANISATION;
  await missing(
    `organisation ${organisation}`,
    () => organisations.get(organisation),
    () => organisations.create({ id: organisation, name: 'Demonstration' }),
  );
  await missing(
    `device type ${TYPE}`,
    () => types.get({ organisation, id: TYPE }),
    () => types.create({ organisation, id: TYPE, class: 'device', description: 'Made by the demonstration' }),
  );

  const castDevice = async (id: string): Promise<CastDevice> => {
    const name = { organisation, type: TYPE, id };
    const file = join(folder, `${id}.token`);
    const token = await keptToken(
      file,
      async () => (await devices.credentials.issue(name, {})).token,
      () =>
        missing(
          `device ${id}`,
          () => devices.get(name),
          () => devices.create({ ...name, withoutToken: true }),
        ),
    );
    return { type: TYPE, id, token };
  };
  const castApplication = async (id: string): Promise<CastApplication> => {
    const name = { organisation, id };
    let key = '';
    let first: string | undefined;
    const token = await keptToken(
      join(folder, `${id}.token`),
      async () => first ?? (await applications.credentials.issue(name, {})).token,
      () =>
        missing(
          `application ${id}`,
          async () => {
            key = (await applications.get(name)).key;
          },
          async () => {
            const created = await applications.create(name);
            key = created.application.key;
            first = created.token;
          },
        ),
    );
    return { id, key, token };
  };

  const device = await castDevice('pump-7');
  const other = await castDevice('pump-8');
  const desk = await castApplication('desk');
  const tap = await castApplication('tap');
  const script = await castApplication('script');
  return { organisation, device, other, desk, tap, script, made };
}

/** The token in the file; a new one in a new file if there is none. `ensure` says whether it had to make the owner. */
async function keptToken(
  file: string,
  issue: () => Promise<string | undefined>,
  ensure: () => Promise<boolean>,
): Promise<string> {
  const isNew = await ensure();
  const kept = isNew ? undefined : await readFile(file, 'utf8').catch(() => undefined);
  if (kept !== undefined && kept !== '') {
    await chmod(file, 0o600);
    return kept;
  }
  const token = await issue();
  if (token === undefined) throw new Failure('internal', `The server issued no token for ${file}.`);
  await rm(file, { force: true });
  await writeFile(file, token, { mode: 0o600, flag: 'wx' });
  return token;
}
