import type { UnlockSettings, UnlockStatus } from '@sallyport/model';
import { RawClient } from './attacks/raw-client.ts';
import type { TestServer } from './server.ts';

export const ASK = 'iot-2/evt/unlock-request/fmt/json';
export const GIVE = 'iot-2/evt/unlock-response/fmt/json';
const HEAR = 'iot-2/cmd/unlock/fmt/json';

type Login = Parameters<typeof RawClient.open>[2];

/** A device of the type `pump` that owes a one-time code, and speaks bare MQTT. */
export class UnlockingDevice {
  readonly client: RawClient;

  private constructor(client: RawClient) {
    this.client = client;
  }

  /** Connects and listens to what it is told of its code. */
  static async open(
    server: TestServer,
    who = 'pump-7',
    login: Login = {},
    version: 4 | 5 = 5,
  ): Promise<UnlockingDevice> {
    const device = new UnlockingDevice(await RawClient.open(server, who, login, version));
    const granted = await device.client.subscribe(HEAR);
    if (granted !== 0) throw new Error(`the unlock topic was refused with ${granted}`);
    return device;
  }

  ask(): Promise<UnlockStatus> {
    this.client.publish(ASK, '{}');
    return this.told();
  }

  give(code: string): Promise<UnlockStatus> {
    this.client.publish(GIVE, JSON.stringify({ code }));
    return this.told();
  }

  /** The next status that the server tells. */
  async told(): Promise<UnlockStatus> {
    const { topic, payload } = await this.client.take('publish');
    if (topic !== HEAR) throw new Error(`${topic} came in place of the status`);
    return JSON.parse(Buffer.from(payload).toString());
  }
}

/** An application that takes codes to owners: the codes come to it. */
export class CodeDesk {
  readonly #client: RawClient;

  private constructor(client: RawClient) {
    this.#client = client;
  }

  static async open(server: TestServer): Promise<CodeDesk> {
    const { registry } = server.server;
    const { record, token } = await registry.applications.create({
      organisation: 'demo',
      id: `codes-${Math.random().toString(36).slice(2, 8)}`,
      role: 'operations',
      by: 'system',
    });
    const client = await RawClient.open(server, 'desk', {
      clientId: `a:demo:${record.id}`,
      username: record.key,
      password: Buffer.from(token),
    });
    if ((await client.subscribe('iot-2/type/+/id/+/unlock-code')) !== 0) throw new Error('codes were refused');
    return new CodeDesk(client);
  }

  /** The next code, and whose it is. */
  async next(): Promise<{ readonly code: string; readonly principal: string }> {
    const { payload } = await this.#client.take('publish');
    return JSON.parse(Buffer.from(payload).toString());
  }
}

/** Lets the type `pump` demand codes, with what is said beside. */
export async function demandCodes(server: TestServer, more: Partial<UnlockSettings> = {}): Promise<void> {
  const unlock: UnlockSettings = { mode: 'one-time-code', channels: ['application'], ...more };
  await server.server.registry.types.update({ organisation: 'demo', id: 'pump', unlock, by: 'system' });
}

/** A code that is certainly another one. */
export function anotherCode(code: string): string {
  return code.replace(/.$/, (last) => String((Number(last) + 1) % 10));
}
