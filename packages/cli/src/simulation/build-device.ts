import { readFile } from 'node:fs/promises';
import {
  CertificateStore,
  estRenewal,
  type FirmwareSource,
  Flash,
  httpsSource,
  makeDevice,
  type RenewCertificate,
  readRom,
} from '@sallyport/device/firmware';
import type { SimulatedProof } from '@sallyport/device/simulator';
import { Failure } from '@sallyport/model';
import { type ClientOptions, serverOfClient, tokenOfClient } from '../commands/client-options.ts';
import { runningServer } from '../data-directory.ts';
import type { Invocation } from '../invocation.ts';
import { UsageError } from '../report-failure.ts';
import { chosenPassword } from '../secret-input.ts';

export interface DeviceName {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
}

export interface ProofOptions extends ClientOptions {
  readonly username?: string;
  readonly passwordFile?: string;
  readonly certificate?: string;
  readonly certificateKey?: string;
}

export interface FlashOptions extends ProofOptions {
  readonly flash?: string;
  readonly root?: string;
  readonly httpsPort?: number;
  readonly enrolmentPort?: number;
  readonly firmwareOver: 'https' | 'mqtt';
}

/** How the device proves itself, by what the options name: a certificate, a user name, else its token. */
export async function proofOf(call: Invocation, options: ProofOptions, id: string): Promise<SimulatedProof> {
  const { username, passwordFile, certificate, certificateKey } = options;
  if (certificate !== undefined) {
    if (certificateKey === undefined)
      throw new UsageError('A certificate needs its key.', 'Add --certificate-key FILE.');
    return { by: 'certificate', cert: await textOf(certificate), key: await textOf(certificateKey) };
  }
  if (username !== undefined) {
    return { by: 'password', username, password: await chosenPassword(passwordFile, call.terminal) };
  }
  return { by: 'token', token: await tokenOfClient(call, options, id) };
}

/** The memory of a device, and how it comes by firmware and certificates. */
export interface DeviceMemory {
  readonly flash: Flash;
  readonly source?: FirmwareSource;
  readonly renew?: RenewCertificate;
  /** It was made just now. */
  readonly made: boolean;
}

/** Where the device keeps its images; made now, with the parts that the server hands out, if it was never made. */
export async function flashOf(
  options: FlashOptions,
  name: DeviceName,
  proof: SimulatedProof,
): Promise<DeviceMemory | undefined> {
  const { flash: folder, root, firmwareOver } = options;
  if (folder === undefined) return undefined;
  if (proof.by === 'password') {
    throw new UsageError('Firmware is handed out for a token or a certificate.', 'Leave --username out.');
  }
  const { host, ca } = serverOfClient(options);
  const running = runningServer(options.dataDir);
  // Where clients are asked for a certificate is not where browsers administer.
  const enrolmentPort = options.enrolmentPort ?? running?.enrolmentPort ?? undefined;
  const port = options.httpsPort ?? (proof.by === 'certificate' ? enrolmentPort : running?.httpPort);
  const flash = new Flash(folder);
  const given = proof.by === 'certificate' ? { cert: proof.cert, key: proof.key } : undefined;
  const inUse = () => {
    const rom = readRom(flash);
    return rom && given ? new CertificateStore(flash, rom, given).inUse : given;
  };
  const source = httpsSource({
    host,
    ...name,
    ...(port === undefined ? {} : { port }),
    ...(ca === undefined ? {} : { ca }),
    ...(proof.token === undefined ? {} : { token: proof.token }),
    ...(given ? { certificate: () => inUse() ?? given } : {}),
  });
  const made = flash.read('rom/rom.json') === undefined;
  if (made) {
    makeDevice(flash, {
      configuration: name,
      root: root === undefined ? (await partOf(source, '1.root.json')).toString('utf8') : await textOf(root),
      bootloader: {
        image: await partOf(source, 'bootloader.bin'),
        statement: await partOf(source, 'bootloader.json'),
      },
    });
  }
  const { organisation } = name;
  const where = { host, organisation, ...(enrolmentPort === undefined ? {} : { port: enrolmentPort }) };
  return {
    flash,
    made,
    ...(firmwareOver === 'https' ? { source } : {}),
    ...(given ? { renew: estRenewal({ ...where, ...(ca === undefined ? {} : { ca }) }) } : {}),
  };
}

async function partOf(source: FirmwareSource, file: string): Promise<Buffer> {
  const bytes = await source.read(`metadata/${file}`, 0);
  if (!bytes) {
    throw new Failure(
      'not_found',
      'The organisation has no firmware repository, so that a device cannot be made for it.',
      {
        cure: 'Make it with `sallyport firmware init`, or leave --flash out.',
      },
    );
  }
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new Failure('invalid_request', `The file ${file} cannot be read.`, { cause, cure: 'Check its path.' });
  });
}
