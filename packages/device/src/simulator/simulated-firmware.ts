import { Failure } from '@sallyport/model';
import { boot, confirmBoot } from '../boot/boot.ts';
import type { BootReport } from '../boot/boot-report.ts';
import { keepReport } from '../boot/boot-reports.ts';
import { CertificateStore, type DeviceCertificate } from '../boot/device-certificate.ts';
import type { Flash } from '../boot/flash.ts';
import { type Rom, readRom } from '../boot/rom.ts';
import { imageFile, otherSlot, readSlot } from '../boot/slot.ts';
import type { RenewCertificate } from '../firmware/est-renewal.ts';
import type { FirmwareSource } from '../firmware/firmware-source.ts';
import { type Downloaded, downloadImage, findUpdate, installImage } from '../firmware/update.ts';
import type { FirmwarePhase, SimulatedEvent } from './simulated-events.ts';

/** An image that begins so does not pass its health check: to show what happens then. */
const UNHEALTHY = '#!unhealthy';

export interface SimulatedFirmwareOptions {
  readonly flash: Flash;
  readonly now: () => number;
  /** Where firmware comes from at the moment; undefined without a connection. */
  readonly source: () => FirmwareSource | undefined;
  /** What the device was given to prove itself with, if that is a certificate. */
  readonly certificate?: DeviceCertificate;
  /** Has a new certificate issued, for updates that ask for it. */
  readonly renew?: RenewCertificate;
  readonly emit: (event: SimulatedEvent) => void;
}

/** The firmware of a simulated device: how it starts, what it downloads, tries, proves and gives up, and the certificate that goes with it. */
export class SimulatedFirmware {
  readonly flash: Flash;
  readonly #options: SimulatedFirmwareOptions;
  readonly #certificates: CertificateStore | undefined;
  #report: BootReport | undefined;
  #downloaded: Downloaded | undefined;

  constructor(options: SimulatedFirmwareOptions) {
    this.#options = options;
    this.flash = options.flash;
    const { certificate, flash } = options;
    this.#certificates = certificate && new CertificateStore(flash, this.#rom(), certificate);
  }

  get report(): BootReport | undefined {
    return this.#report;
  }

  /** Whether an image is here, whole and verified, and not installed yet. */
  get isDownloaded(): boolean {
    return this.#downloaded !== undefined;
  }

  /** What the device proves itself with now, if that is a certificate. */
  get certificate(): DeviceCertificate | undefined {
    return this.#certificates?.inUse;
  }

  /** Starts along the boot chain. What did not go as it should is kept, to be told. */
  startUp(): void {
    const { flash, now, emit } = this.#options;
    const report = boot({ flash, now, onStep: (step) => emit({ kind: 'boot-step', step }) });
    this.#report = report;
    if (report.outcome !== 'booted' || report.trial) keepReport(flash, report);
    emit({ kind: 'booted', report });
    this.settleCertificate();
  }

  /**
   * Looks for an image and brings it here; without a version the newest. False if there is nothing newer.
   *
   * @throws Failure `firmware_rejected` and the failures of the source
   */
  async download(version: string | undefined): Promise<boolean> {
    const { flash, now } = this.#options;
    const source = this.#source();
    const running: Partial<BootReport> & { readonly trial: boolean } = this.#report ?? { trial: false };
    const found = await findUpdate({ flash, rom: this.#rom(), source, running, now }, version);
    if (!found) {
      this.tell('up-to-date', 'there is nothing newer', running.version);
      return false;
    }
    const { manifest } = found;
    const text = `${manifest.version}, sequence ${manifest.sequence}`;
    const onProgress = (received: number, size: number) =>
      this.tell('downloading', text, manifest.version, { received, size });
    onProgress(0, manifest.size);
    await downloadImage({ flash, source, onProgress }, manifest);
    this.#downloaded = found;
    this.tell('downloaded', `${text}: whole, signed, and its digest is right`, manifest.version);
    return true;
  }

  /**
   * Puts what was downloaded into the other slot. Before that a new certificate is fetched, if the image asks for it and the device has one: an
   * image whose certificate cannot be had is not installed.
   *
   * @throws Failure `firmware_rejected`, the failures of {@link RenewCertificate}
   */
  async install(): Promise<void> {
    const { flash, now } = this.#options;
    const downloaded = this.#downloaded;
    if (!downloaded) throw new Failure('invalid_request', 'Nothing was downloaded.');
    const { version, renewCertificate } = downloaded.manifest;
    if (renewCertificate) await this.#renewCertificate(version);
    const running = this.#report ?? { trial: false };
    installImage({ flash, rom: this.#rom(), source: this.#source(), running, now }, downloaded);
    this.#downloaded = undefined;
    this.tell('installed', `${version} lies in the other slot; restarting into it`, version);
  }

  /** Judges an image on trial once it has come to the server; false if it is not healthy and the device has to restart. */
  prove(): boolean {
    const { flash } = this.#options;
    const report = this.#report;
    if (!report?.trial) return true;
    const { slot, version } = report;
    const reading = slot && readSlot(flash, this.#rom(), slot);
    if (!slot || reading?.found !== 'record') return true;
    this.tell('on-trial', `${version} runs on trial`, version);
    if (flash.head(imageFile(slot), UNHEALTHY.length).toString('latin1') === UNHEALTHY) {
      this.tell('unhealthy', `${version} does not pass its health check; restarting`, version);
      return false;
    }
    confirmBoot(flash, report, reading.record.manifest);
    this.#report = { ...report, trial: false };
    this.tell('confirmed', `${version} has proven itself`, version);
    return true;
  }

  /** Puts the certificate of an image that has proven itself into use. True if the device has to connect with it. */
  settleCertificate(): boolean {
    if (!this.#report || !this.#certificates?.settle(this.#report)) return false;
    this.#tellCertificate('changed', 'the certificate that came with this image is in use from now on');
    return true;
  }

  /** The server took the certificate in use. */
  certificateTaken(): void {
    this.#certificates?.taken();
  }

  /** The server refused the certificate in use: back to the one before. False if there is none. */
  returnToCertificateBefore(): boolean {
    if (!this.#certificates?.returnToBefore()) return false;
    this.#tellCertificate('returned', 'the server refused the new certificate; the one before is in use again');
    return true;
  }

  tell(
    phase: FirmwarePhase,
    text: string,
    version?: string,
    bytes: { readonly received?: number; readonly size?: number } = {},
  ): void {
    const progress = { phase, text, ...bytes, ...(version === undefined ? {} : { version }) };
    this.#options.emit({ kind: 'firmware', progress });
  }

  async #renewCertificate(version: string): Promise<void> {
    const { renew, now } = this.#options;
    const certificates = this.#certificates;
    if (!certificates) return;
    const running = this.#report?.slot;
    const slot = running === undefined ? 'a' : otherSlot(running);
    if (certificates.keepUnusedFor(slot, version, now())) return;
    if (!renew) throw new Failure('invalid_request', 'This device has nowhere to renew its certificate.');
    certificates.keepFor(slot, version, await renew(certificates.inUse));
    this.#tellCertificate('renewed', 'a new certificate is here; it is used once the image has proven itself');
  }

  #tellCertificate(phase: 'renewed' | 'changed' | 'returned', text: string): void {
    this.#options.emit({ kind: 'certificate', phase, text });
  }

  #source(): FirmwareSource {
    const source = this.#options.source();
    if (source) return source;
    throw new Failure('connection_lost', 'The device is not connected, and has no other way to its firmware.');
  }

  #rom(): Rom {
    const rom = readRom(this.#options.flash);
    if (rom) return rom;
    throw new Failure('key_material_invalid', 'The device was never made: it has no ROM.');
  }
}
