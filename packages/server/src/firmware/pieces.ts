import { open } from 'node:fs/promises';
import { principalName, REASONS, type Refusal } from '@sallyport/model';
import type { DeviceName, DeviceWord, ServerWord } from './device-words.ts';
import type { FirmwareFile } from './firmware-desk.ts';

type Asked = Extract<DeviceWord, { said: 'piece' }>;

export interface PiecesOptions {
  readonly file: (organisation: string, path: string) => FirmwareFile | undefined;
  /** Sends an answer in words. */
  readonly send: (device: DeviceName, word: ServerWord) => void;
  /** Sends bytes, below `iotdm-1/type/T/id/I/`. */
  readonly sendBytes: (device: DeviceName, rest: string, bytes: Uint8Array) => void;
  readonly refuse: (refusal: Omit<Refusal, 'ticket' | 'at' | 'lastAt' | 'count'>) => Refusal;
}

/** Bytes of one piece at most; with everything around it, it fits into a packet of every device. */
const LARGEST_PIECE = 65_536;
/** Pieces that one device may have asked for and not got. */
const WINDOW = 4;
/** Devices that are served at once; the others are told to come later. */
const MOST_DEVICES = 1_000;

/**
 * Hands out firmware over MQTT, piece by piece, to devices that have no HTTPS: a request on `iotdevice-1/mgmt/firmware` is answered with bytes
 * on `iotdm-1/firmware/REQID/OFFSET/SIZE`. The window bounds what a device can make the server read.
 */
export class Pieces {
  readonly #options: PiecesOptions;
  readonly #open = new Map<string, number>();

  constructor(options: PiecesOptions) {
    this.#options = options;
  }

  async answer(device: DeviceName, asked: Asked): Promise<void> {
    const { file, send, sendBytes } = this.#options;
    const { reqId } = asked;
    const say = (rc: number, message: string) => send(device, { rest: 'response', body: { rc, message, reqId } });
    const found = file(device.organisation, asked.file);
    if (found?.type !== undefined && found.type !== device.type) {
      const ticket = this.#refuse('firmware_not_for_type', device, asked.file, found.type);
      return say(403, `This firmware is for another type (ticket ${ticket}).`);
    }
    if (!found) return say(404, 'There is no such file.');
    const name = `${device.organisation}/${device.type}/${device.id}`;
    const under = this.#open.get(name) ?? 0;
    if (under >= WINDOW) {
      const ticket = this.#refuse('firmware_window_exceeded', device, asked.file, String(WINDOW));
      return say(429, `Only ${WINDOW} pieces at once (ticket ${ticket}).`);
    }
    if (under === 0 && this.#open.size >= MOST_DEVICES) return say(503, 'Too many devices ask at once.');
    this.#open.set(name, under + 1);
    try {
      const piece = await pieceOf(found.path, asked);
      if (piece) sendBytes(device, `firmware/${reqId}/${asked.offset}/${piece.size}`, piece.bytes);
      else say(404, 'There is no such file.');
    } finally {
      const left = (this.#open.get(name) ?? 1) - 1;
      if (left === 0) this.#open.delete(name);
      else this.#open.set(name, left);
    }
  }

  #refuse(
    reason: 'firmware_not_for_type' | 'firmware_window_exceeded',
    device: DeviceName,
    file: string,
    expected: string,
  ): string {
    const principal = principalName({ kind: 'device', ...device });
    const row = REASONS[reason];
    const compared =
      reason === 'firmware_not_for_type'
        ? { what: 'device type', found: device.type, expected }
        : { what: 'pieces asked for at once', found: `more than ${expected}`, expected: `at most ${expected}` };
    return this.#options.refuse({
      action: 'receive',
      reason,
      reasonCode: row.reasonCode,
      organisation: device.organisation,
      principal,
      resource: file,
      steps: [{ stage: row.stage, outcome: 'failed', text: `${principal} asked for ${file}.`, compared }],
      cure: row.cure,
    }).ticket;
  }
}

async function pieceOf(
  path: string,
  { offset, length }: Asked,
): Promise<{ bytes: Uint8Array; size: number } | undefined> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return undefined;
  try {
    const { size } = await file.stat();
    const bytes = new Uint8Array(Math.max(0, Math.min(length, LARGEST_PIECE, size - offset)));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, offset);
    return { bytes: bytes.subarray(0, bytesRead), size };
  } finally {
    await file.close();
  }
}
