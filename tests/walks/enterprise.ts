import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectManagement, type Management } from '@sallyport/application/management';
import { freePort } from '../free-port.ts';
import { ask, scope } from '../oauth-client.ts';
import { RunningProgram, SALLYPORT } from './sallyport-process.ts';

const COMMANDS = scope('publish', 'iot-2/type/pump/id/+/cmd/+/fmt/+');

/** An authorization server of its own, in another process on another data directory: the one of the enterprise. */
export class Enterprise {
  readonly folder = mkdtempSync(join(tmpdir(), 'sallyport-enterprise-'));
  readonly rootFile = join(this.folder, 'data', 'pki', 'root.pem');
  httpPort = 0;
  rootPem = '';
  #program: RunningProgram | undefined;

  get issuer(): string {
    return `https://localhost:${this.httpPort}/oauth/plant`;
  }

  async prepare(more: readonly string[] = []): Promise<void> {
    this.httpPort = await freePort();
    await this.start('jwt', more);
    this.rootPem = readFileSync(this.rootFile, 'utf8');
  }

  async start(accessTokens: 'jwt' | 'opaque', more: readonly string[] = []): Promise<void> {
    const file = join(this.folder, 'authorization-server.yaml');
    writeFileSync(
      file,
      `authorizationServer:\n  organisations: [plant]\n  accessTokens: ${accessTokens}\n${more.map((line) => `  ${line}\n`).join('')}`,
    );
    const place = ['--data-dir', join(this.folder, 'data'), '--http-port', String(this.httpPort)];
    this.#program = new RunningProgram(process.execPath, [
      SALLYPORT,
      'authorization-server',
      '--config',
      file,
      ...place,
    ]);
    await this.#program.says('api');
  }

  async stop(): Promise<void> {
    await this.#program?.end();
    this.#program = undefined;
  }

  api(): Management {
    const token = readFileSync(join(this.folder, 'data', 'operator.token'), 'utf8').trim();
    return connectManagement({ url: `https://localhost:${this.httpPort}`, token, ca: this.rootPem });
  }

  /** What a client of the enterprise does, to be let in by the platform. */
  async token(id: string, secret: string): Promise<string> {
    const form = { grant_type: 'client_credentials', scope: COMMANDS };
    const { json } = await ask(this, '/oauth/plant/token', { form, basic: [id, secret] });
    return String(json.access_token);
  }
}
