import { describe, expect, it } from 'vitest';
import { pasteBlock } from '../../src/demonstration/paste-block.ts';
import { shellWord } from '../../src/demonstration/shell-word.ts';

const BLOCK = {
  dataDirectory: 'sallyport-data',
  host: 'localhost',
  mqttPort: 8883,
  httpPort: 8443,
  organisation: 'demo',
  device: { type: 'pump', id: 'pump-8' },
  simulated: { type: 'pump', id: 'pump-7' },
  listener: { id: 'tap', key: 'a-demo-0123456789' },
  script: { id: 'script', key: 'a-demo-abcdefghij' },
  ticket: '7Q4XKM',
  nameDataDirectory: false,
};

describe('pasteBlock', () => {
  it('uses no client id of the demonstration and none twice', () => {
    const ids = [...pasteBlock(BLOCK).matchAll(/(?:-i |clientId: ')([^ ']+)/g)].map(([, id]) => id);
    expect(ids).toEqual(['a:demo:tap', 'd:demo:pump:pump-8', 'a:demo:script']);
  });

  it('reads every token from a file', () => {
    const text = pasteBlock(BLOCK);
    expect(text).toContain('-P "$(cat sallyport-data/demo/tap.token)"');
    expect(text).toContain('Bearer $(cat sallyport-data/operator.token)');
  });

  it('names the data directory only where the command would not find it', () => {
    expect(pasteBlock(BLOCK)).toMatch(/sallyport explain 7Q4XKM$/);
    expect(pasteBlock({ ...BLOCK, dataDirectory: '/tmp/d', nameDataDirectory: true })).toMatch(
      /sallyport explain 7Q4XKM --data-dir \/tmp\/d$/,
    );
  });
});

describe('shellWord', () => {
  it('quotes only what the shell would change', () => {
    expect(shellWord('sallyport-data/pki/root.pem')).toBe('sallyport-data/pki/root.pem');
    expect(shellWord("it's $HOME here")).toBe("'it'\\''s $HOME here'");
  });
});
