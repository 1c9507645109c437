import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostFor, runningServer } from '../src/data-directory.ts';

describe('runningServer', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sallyport-cli-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const write = (content: unknown) => writeFileSync(join(folder, 'server.json'), JSON.stringify(content));
  const server = { pid: process.pid, mqttPort: 8883, httpPort: 8443, address: '127.0.0.1' };

  it('reads what a running server says about itself', () => {
    write(server);
    expect(runningServer(folder)).toEqual(server);
  });

  it('does not believe in a server whose process is gone', () => {
    write({ ...server, pid: 2 ** 30 });
    expect(runningServer(folder)).toBeUndefined();
  });

  it.each([null, 7, {}, { pid: process.pid }])('does not stumble over %j', (content) => {
    write(content);
    expect(runningServer(folder)).toBeUndefined();
  });

  it('finds none in an empty folder', () => {
    expect(runningServer(folder)).toBeUndefined();
  });
});

describe('hostFor', () => {
  it('names a host that is in the certificate where the address is loopback or any', () => {
    expect(['127.0.0.1', '::1', '0.0.0.0', '::'].map(hostFor)).toEqual(Array(4).fill('localhost'));
    expect(hostFor('192.0.2.7')).toBe('192.0.2.7');
  });
});
