import { randomUUID } from 'node:crypto';
import type { Link } from '../link.ts';

/** What the server asks of a device in the device management protocol (watson-iot.md section 2.11). */
export interface ManagementHandlers {
  /** It named the firmware that is to come. */
  offered(firmware: { readonly version?: string }): void;
  /** How the firmware stands now. */
  standing(): { readonly state: number; readonly updateStatus: number };
  download(): void;
  update(): void;
  reboot(): void;
}

interface Asked {
  readonly reqId?: string;
  readonly d?: {
    readonly fields?: readonly { readonly field: string; readonly value?: { readonly version?: string } }[];
  };
}

/** The device's half of the dialogue: answers what the server asks, and tells how things stand. */
export class ManagementDialogue {
  readonly #link: Pick<Link, 'publish'>;
  readonly #handlers: ManagementHandlers;

  constructor(link: Pick<Link, 'publish'>, handlers: ManagementHandlers) {
    this.#link = link;
    this.#handlers = handlers;
  }

  /** Tells the server that it may be managed, and which version runs. */
  async manage(version: string | undefined): Promise<void> {
    const deviceInfo = version === undefined ? {} : { deviceInfo: { fwVersion: version } };
    const supports = { deviceActions: true, firmwareActions: true };
    await this.#say('iotdevice-1/mgmt/manage', { reqId: randomUUID(), d: { supports, lifetime: 0, ...deviceInfo } });
  }

  /** Tells how the firmware stands: 0 idle, 1 downloading, 2 downloaded; and how an update went, 0 to 6. */
  async notify(state: number, updateStatus: number): Promise<void> {
    const fields = [{ field: 'mgmt.firmware', value: { state, updateStatus } }];
    await this.#say('iotdevice-1/notify', { reqId: randomUUID(), d: { fields } });
  }

  /** Takes a message from below `iotdm-1/`. */
  async receive(topic: string, payload: Uint8Array): Promise<void> {
    const asked = JSON.parse(new TextDecoder().decode(payload)) as Asked;
    const { reqId } = asked;
    if (reqId === undefined) return;
    const answer = (rc: number, d?: object) => this.#say('iotdevice-1/response', { rc, reqId, ...(d && { d }) });
    const handlers = this.#handlers;
    switch (topic.replace(/^iotdm-1\//, '')) {
      case 'device/update': {
        const field = asked.d?.fields?.find((one) => one.field === 'mgmt.firmware');
        if (field?.value) handlers.offered(field.value);
        return answer(204);
      }
      case 'observe':
        return answer(200, { fields: [{ field: 'mgmt.firmware', value: handlers.standing() }] });
      case 'cancel':
        return answer(200);
      case 'mgmt/initiate/firmware/download':
        await answer(202);
        return handlers.download();
      case 'mgmt/initiate/firmware/update':
        if (handlers.standing().state !== 2) return answer(400);
        await answer(202);
        return handlers.update();
      case 'mgmt/initiate/device/reboot':
        await answer(202);
        return handlers.reboot();
      case 'response':
        return;
      default:
        return answer(501);
    }
  }

  #say(topic: string, body: object): Promise<void> {
    return this.#link.publish(topic, new TextEncoder().encode(JSON.stringify(body)), 1);
  }
}
