/** What happens to firmware without an operator, or by a device. */
export type FirmwareEvent =
  | { readonly type: 'firmware.renewed'; readonly organisation: string; readonly roles: readonly string[] }
  | {
      /** A device told how it started. */
      readonly type: 'firmware.boot';
      readonly organisation: string;
      readonly principal: string;
      /** Who said it: the device, or who may speak for it. */
      readonly by: string;
      readonly outcome: 'done' | 'failed';
      /** What stopped, and why. */
      readonly details: Readonly<Record<string, string>>;
    }
  | {
      /** A device did not take an image that it was offered. */
      readonly type: 'firmware.refused';
      readonly organisation: string;
      readonly principal: string;
      /** Who said it: the device, or who may speak for it. */
      readonly by: string;
      readonly detail: string;
    }
  | {
      /** A rollout reached its end or was halted by its failures. */
      readonly type: 'rollout.finished' | 'rollout.halted';
      readonly organisation: string;
      readonly target: string;
      readonly details: Readonly<Record<string, unknown>>;
    }
  | {
      readonly type: 'rollout.device.succeeded' | 'rollout.device.failed';
      readonly organisation: string;
      readonly principal: string;
      readonly target: string;
      readonly detail?: string;
    };
