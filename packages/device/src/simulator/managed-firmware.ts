import { Failure } from '@sallyport/model';
import { type MqttSource, mqttSource } from '../firmware/mqtt-source.ts';
import type { Link } from '../link.ts';
import { ManagementDialogue } from './management-dialogue.ts';
import type { SimulatedFirmware } from './simulated-firmware.ts';

export interface ManagedFirmwareOptions {
  readonly firmware: SimulatedFirmware;
  readonly link: Link;
  /** Does one piece of work after the other. */
  readonly work: (work: () => Promise<void>) => void;
  readonly restart: () => Promise<void>;
}

/** `updateStatus` of the device management protocol. */
const STATUS = { ok: 0, underWay: 1, connectionLost: 3, verificationFailed: 4 } as const;

/** What the server asks of the firmware of a device over its connection, done and answered. */
export class ManagedFirmware {
  /** Firmware in pieces over the same connection. */
  readonly pieces: MqttSource;
  readonly #options: ManagedFirmwareOptions;
  readonly #dialogue: ManagementDialogue;
  #offered: string | undefined;

  private constructor(options: ManagedFirmwareOptions) {
    const { firmware, link, work, restart } = options;
    this.#options = options;
    this.pieces = mqttSource(link);
    this.#dialogue = new ManagementDialogue(link, {
      offered: ({ version }) => {
        this.#offered = version;
        firmware.tell('offered', `the server offers ${version ?? 'something'}`, version);
      },
      standing: () => ({ state: firmware.isDownloaded ? 2 : 0, updateStatus: STATUS.ok }),
      download: () => work(() => this.#download()),
      update: () => work(() => this.#update()),
      reboot: () => work(restart),
    });
  }

  /** Listens to the server. Rejects as a subscription does. */
  static async open(options: ManagedFirmwareOptions): Promise<ManagedFirmware> {
    const managed = new ManagedFirmware(options);
    await options.link.subscribe('iotdm-1/#', 1, (topic, payload) => {
      if (!managed.pieces.receive(topic, payload)) return managed.#dialogue.receive(topic, payload);
    });
    return managed;
  }

  /** Tells the server that it may be managed, and which version runs. */
  manage(version: string | undefined): Promise<void> {
    return this.#dialogue.manage(version);
  }

  async #download(): Promise<void> {
    try {
      await this.#dialogue.notify(1, STATUS.ok);
      const found = await this.#options.firmware.download(this.#offered);
      await this.#dialogue.notify(found ? 2 : 0, STATUS.ok);
    } catch (error) {
      await this.#failed(error);
    }
  }

  async #update(): Promise<void> {
    try {
      await this.#dialogue.notify(2, STATUS.underWay);
      await this.#options.firmware.install();
    } catch (error) {
      return this.#failed(error);
    }
    await this.#options.restart();
  }

  async #failed(error: unknown): Promise<void> {
    this.#options.firmware.tell('failed', error instanceof Error ? error.message : String(error), this.#offered);
    const rejected = error instanceof Failure && error.code === 'firmware_rejected';
    await this.#dialogue.notify(0, rejected ? STATUS.verificationFailed : STATUS.connectionLost);
  }
}
