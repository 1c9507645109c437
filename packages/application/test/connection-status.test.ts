import { Failure } from '@sallyport/model';
import { describe, expect, it } from 'vitest';
import { connectionStatus } from '../src/connection-status.ts';

const TOPIC = 'iot-2/type/pump/id/pump-7/mon';
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

describe('connectionStatus', () => {
  it('names the device of the topic and the fields that came', () => {
    const status = connectionStatus(
      TOPIC,
      bytes({ Action: 'Disconnect', ClientAddr: '10.0.0.7', CloseCode: 288, Secure: true }),
    );
    expect(status).toEqual({
      device: { type: 'pump', id: 'pump-7' },
      action: 'Disconnect',
      address: '10.0.0.7',
      closeCode: 288,
      secure: true,
    });
  });

  it('leaves out fields of another kind than expected', () => {
    expect(connectionStatus(TOPIC, bytes({ Action: 'Connect', CloseCode: 'none', Time: 7 }))).toEqual({
      device: { type: 'pump', id: 'pump-7' },
      action: 'Connect',
    });
  });

  it('refuses what is not a JSON object', () => {
    expect(() => connectionStatus(TOPIC, bytes(null))).toThrow(Failure);
    expect(() => connectionStatus(TOPIC, new Uint8Array([0x7b]))).toThrow(Failure);
  });
});
