import { randomUUID } from 'node:crypto';
import { Failure } from '@sallyport/model';
import type { Link } from '../link.ts';
import type { FirmwareSource } from './firmware-source.ts';

export interface MqttSource extends FirmwareSource {
  /** Takes a message from below `iotdm-1/`; true if it was an answer to this source. */
  receive(topic: string, payload: Uint8Array): boolean;
}

const PIECE = 32_768;
/** Pieces asked for and not come yet; the server serves four. */
const WINDOW = 3;
const PATIENCE = 10_000;
const TRIES = 5;

type Piece = { readonly bytes: Uint8Array; readonly size: number } | 'nothing';

/**
 * Reads the repository over the device's own MQTT connection, piece by piece and a few at a time, for devices that have nothing else. A
 * lost piece is asked for again.
 */
export function mqttSource(link: Pick<Link, 'publish'>, patience = PATIENCE): MqttSource {
  const waiting = new Map<string, { resolve(piece: Piece): void; reject(failure: Failure): void }>();

  async function piece(file: string, offset: number): Promise<Piece> {
    for (let attempt = 1; ; attempt++) {
      const reqId = randomUUID();
      const answer = new Promise<Piece>((resolve, reject) => waiting.set(reqId, { resolve, reject }));
      let timer: ReturnType<typeof setTimeout> | undefined;
      const late = new Promise<undefined>((resolve) => {
        timer = setTimeout(() => resolve(undefined), patience);
      });
      try {
        const body = JSON.stringify({ reqId, d: { file, offset, length: PIECE } });
        await link.publish('iotdevice-1/mgmt/firmware', new TextEncoder().encode(body), 1);
        const found = await Promise.race([answer, late]);
        if (found !== undefined) return found;
      } finally {
        clearTimeout(timer);
        waiting.delete(reqId);
      }
      if (attempt === TRIES) throw new Failure('connection_lost', `No piece of ${file} came in ${TRIES} tries.`);
    }
  }

  return {
    async read(path, offset) {
      const first = await piece(path, offset);
      return first === 'nothing' ? undefined : inOrder(path, offset, first, piece);
    },
    receive(topic, payload) {
      const [, kind, reqId = '', , size] = topic.split('/');
      if (kind === 'firmware') {
        waiting.get(reqId)?.resolve({ bytes: payload, size: Number(size) });
        return true;
      }
      if (kind !== 'response') return false;
      const said = answerIn(payload);
      const waiter = said && waiting.get(said.reqId);
      if (!said || !waiter) return false;
      if (said.rc === 404) waiter.resolve('nothing');
      // Too many at once, or a busy server: the wait for the piece ends by itself, and it is asked for again.
      else if (said.rc !== 429 && said.rc !== 503) waiter.reject(new Failure('forbidden', said.message));
      return true;
    },
  };
}

/** Keeps a few pieces on their way and gives them in their order. */
async function* inOrder(
  path: string,
  start: number,
  first: Exclude<Piece, 'nothing'>,
  piece: (file: string, offset: number) => Promise<Piece>,
): AsyncGenerator<Uint8Array> {
  yield first.bytes;
  let next = start + first.bytes.length;
  const under: Promise<Piece>[] = [];
  while (next < first.size || under.length > 0) {
    while (next < first.size && under.length < WINDOW) {
      const asked = piece(path, next);
      // It is awaited in its turn; until then a failure is nobody's.
      asked.catch(() => {});
      under.push(asked);
      next += PIECE;
    }
    const come = await under.shift();
    if (come === undefined) return;
    if (come === 'nothing') throw new Failure('connection_lost', `${path} went away during the download.`);
    yield come.bytes;
  }
}

function answerIn(
  payload: Uint8Array,
): { readonly reqId: string; readonly rc: number; readonly message: string } | undefined {
  try {
    const said = JSON.parse(new TextDecoder().decode(payload)) as { reqId?: unknown; rc?: unknown; message?: unknown };
    if (typeof said.reqId !== 'string' || typeof said.rc !== 'number') return undefined;
    return { reqId: said.reqId, rc: said.rc, message: typeof said.message === 'string' ? said.message : '' };
  } catch {
    return undefined;
  }
}
