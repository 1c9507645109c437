export { type Reading, readings } from './simulator/reading.ts';
export {
  SimulatedDevice,
  type SimulatedDeviceOptions,
} from './simulator/simulated-device.ts';
export type {
  FirmwareProgress,
  MetCommand,
  SentReading,
  SimulatedEvent,
  SimulatedState,
  WirePayload,
} from './simulator/simulated-events.ts';
export type { SimulatedProof } from './simulator/simulated-proof.ts';
