import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '@sallyport/model';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type LoadOptions, loadConfiguration } from '../../src/config/load.ts';
import { unsafeSettings } from '../../src/config/unsafe-settings.ts';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'));
  file = join(folder, 'sallyport.yaml');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function load(text: string, options: LoadOptions = {}) {
  writeFileSync(file, text);
  return loadConfiguration({ file, ...options });
}

function problem(text: string, options: LoadOptions = {}): string {
  try {
    load(text, options);
  } catch (error) {
    if (error instanceof Failure && error.code === 'configuration_invalid') return error.message;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('loadConfiguration', () => {
  it('is safe without a file: loopback, TLS only', () => {
    const configuration = loadConfiguration();
    expect(configuration.listeners.mqttTls).toMatchObject({ enabled: true, address: '127.0.0.1', port: 8883 });
    expect(configuration.listeners.mqttPlain.allowPlaintextListener).toBe(false);
    expect(configuration.listeners.http).toMatchObject({ address: '127.0.0.1', port: 8443, websocketPath: '/mqtt' });
    expect(unsafeSettings(configuration)).toEqual([]);
  });

  it('reads durations as milliseconds and sizes as bytes', () => {
    const configuration = load('limits:\n  connectTimeout: 3s\n  maximumPacketSize: 1MiB\n');
    expect(configuration.limits.connectTimeout).toBe(3000);
    expect(configuration.limits.maximumPacketSize).toBe(1_048_576);
  });

  it('reads an empty file as the defaults', () => {
    expect(load('# nothing\n').listeners.http.port).toBe(8443);
  });

  it('is frozen to the last key', () => {
    const configuration = load('log:\n  level: warn\n');
    expect(() => Object.assign(configuration.log, { level: 'debug' })).toThrow(TypeError);
    expect(() => Object.assign(configuration.limits.devices, { maximumInflight: 1 })).toThrow(TypeError);
  });

  it('counts a relative data directory from the folder of the file', () => {
    expect(load('dataDirectory: data\n').dataDirectory).toBe(join(folder, 'data'));
  });

  it('counts a relative data directory of the command line from the working directory', () => {
    const configuration = load('dataDirectory: data\n', { overrides: { dataDirectory: 'here' } });
    expect(configuration.dataDirectory).toBe(join(process.cwd(), 'here'));
  });

  it('names line and column, what was found and what is expected', () => {
    expect(problem('listeners:\n  mqttTls:\n    port: 99999\n')).toContain(
      `${file}:3:11: listeners.mqttTls.port is 99999; expected a whole number from 0 to 65535`,
    );
    expect(problem('limits:\n  connectTimeout: 30\n')).toContain(
      ':2:19: limits.connectTimeout is 30; expected a duration with its unit',
    );
    expect(problem('limits:\n  connectTimeout: 3 hours\n')).toContain(':2:19: limits.connectTimeout is "3 hours"');
    expect(problem('listeners:\n  http:\n    address: everywhere\n')).toContain('expected an IP address');
    expect(problem('serverNames: [good.example, "bad name"]\n')).toContain(':1:29: serverNames[1] is "bad name"');
    expect(problem('listeners:\n')).toContain('listeners is empty; expected a section');
    expect(problem('log:\n  level: loud\n')).toContain('expected one of debug, info, warn, error, silent');
  });

  it('reports every problem at once', () => {
    const message = problem('log:\n  level: loud\nlimits:\n  maximumSessions: -1\n');
    expect(message).toContain(':2:10:');
    expect(message).toContain(':4:20:');
  });

  it('refuses an unknown key where it stands and suggests the one that was meant', () => {
    expect(problem('listeners:\n  mqttTls:\n    prot: 1\n')).toContain(
      `${file}:3:5: "prot" is not a key of listeners.mqttTls; did you mean "port"?`,
    );
    expect(problem('datadirectory: x\n')).toContain(
      ':1:1: "datadirectory" is not a key; did you mean "dataDirectory"?',
    );
    expect(problem('zzz: 1\n')).toContain('there are dataDirectory, serverNames, listeners');
    expect(problem('__proto__: { a: 1 }\n')).toContain('"__proto__" is not a key');
  });

  it('refuses YAML that is broken, repeats a key, or is no map', () => {
    expect(problem('log:\n  level: "info\n')).toMatch(/:\d+:\d+: /);
    expect(problem('log:\n  level: info\nlog:\n  level: warn\n')).toMatch(/:3:1: .*unique/);
    expect(problem('- a\n')).toContain(':1:1: expected keys with values');
    expect(problem('log: !!js/function x\n')).toMatch(/:1:6: /);
  });

  it('refuses a bomb of aliases and a huge file without expanding them', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (let i = 1; i < 9; i++) {
      const [here, before] = [String.fromCharCode(97 + i), String.fromCharCode(96 + i)];
      bomb.push(`${here}: &${here} [${Array(9).fill(`*${before}`).join(',')}]`);
    }
    expect(problem(bomb.join('\n'))).toContain('alias');
    expect(problem(`# ${'x'.repeat(1_100_000)}`)).toContain('1 MiB');
  });

  it('refuses a file that is not there', () => {
    expect(() => loadConfiguration({ file: join(folder, 'none.yaml') })).toThrow(/none.yaml cannot be read/);
  });

  it('lets the command line win and checks it alike', () => {
    const text = 'listeners:\n  mqttTls:\n    port: 1\n';
    const optionNames = { 'listeners.mqttTls.port': '--mqtt-port' };
    expect(load(text, { overrides: { 'listeners.mqttTls.port': '1884' } }).listeners.mqttTls.port).toBe(1884);
    expect(load(text, { overrides: { 'listeners.mqttTls.port': undefined } }).listeners.mqttTls.port).toBe(1);
    expect(problem(text, { overrides: { 'listeners.mqttTls.port': 'abc' }, optionNames })).toContain(
      '--mqtt-port: listeners.mqttTls.port is "abc"; expected a whole number',
    );
    expect(problem('', { overrides: { 'listeners.mqttTls.prt': 1 } })).toContain('did you mean "port"?');
  });
});

describe('contradictions', () => {
  it('refuses a plain port while the plain listener is not allowed, with the line', () => {
    expect(problem('listeners:\n  mqttPlain:\n    port: 1883\n')).toMatch(
      /:3:11: listeners.mqttPlain.port: is set, but .*allowPlaintextListener is false/,
    );
  });

  it('refuses what is said of a listener that is not opened, with the line', () => {
    const off = 'listeners:\n  mqttTls:\n    enabled: false\n';
    expect(problem(`${off}    clientCertificates: require\n`)).toContain(
      ':4:25: listeners.mqttTls.clientCertificates: is set, but listeners.mqttTls.enabled is false',
    );
    for (const [name, key] of [
      ['mqttTls', 'proxyAddresses: [127.0.0.1]'],
      ['mqttPlain', 'proxyAddresses: [127.0.0.1]'],
      ['revocationHttp', 'address: 0.0.0.0'],
      ['revocationHttp', 'maximumConnections: 5'],
      ['enrolment', 'address: 0.0.0.0'],
    ]) {
      const before = name === 'mqttTls' ? off : `listeners:\n  ${name}:\n`;
      expect(problem(`${before}    ${key}\n`)).toContain(`listeners.${name}.${key?.split(':')[0]}: is set, but`);
    }
    // HTTPS follows it too.
    expect(load(`${off}    minimumTlsVersion: TLSv1.3\n`).listeners.mqttTls.enabled).toBe(false);
  });

  it('refuses two listeners on one port and names the key that was set', () => {
    expect(problem('listeners:\n  http:\n    port: 8883\n')).toContain(
      ':3:11: listeners.http.port: is 8883, and listeners.mqttTls listens on that port too',
    );
    expect(problem('', { overrides: { 'listeners.mqttTls.port': 8443 } })).toContain('listeners.mqttTls.port');
    expect(problem('listeners:\n  http: { port: 8883, address: 0.0.0.0 }\n')).toContain('listens on that port too');
  });

  it('allows two listeners on one port of different addresses, and two free ports', () => {
    expect(load('listeners:\n  http: { port: 8883, address: 127.0.0.2 }\n').listeners.http.port).toBe(8883);
    expect(load('listeners:\n  http: { port: 0 }\n  mqttTls: { port: 0 }\n').listeners.http.port).toBe(0);
  });

  it('refuses a payload bound above the packet bound', () => {
    expect(problem('limits:\n  maximumPayloadSize: 1MiB\n')).toContain(':2:23: limits.maximumPayloadSize: is larger');
    expect(problem('limits:\n  maximumPacketSize: 1KiB\n')).toContain(':2:22: limits.maximumPacketSize: is smaller');
  });
});

describe('unsafeSettings', () => {
  it('tells of a plain listener', () => {
    const configuration = load('listeners:\n  mqttPlain:\n    allowPlaintextListener: true\n');
    expect(unsafeSettings(configuration)).toEqual([
      { setting: 'listeners.mqttPlain.allowPlaintextListener', meaning: expect.stringContaining('port 1883') },
    ]);
  });
});
