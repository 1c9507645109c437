import type { Metadata, Page } from '@sallyport/model';
import type { PageRequest } from '../storage/page.ts';
import type { Device, GatewayRole, Issued } from './records.ts';

export interface DeviceName {
  readonly organisation: string;
  readonly type: string;
  readonly id: string;
}

export interface NewDevice extends DeviceName {
  readonly description?: string;
  readonly metadata?: Metadata;
  /** Gateways only; `privileged` if left out. */
  readonly gatewayRole?: GatewayRole;
  readonly by: string;
}

/** Devices and gateways: which of the two it is, is said by the type. */
export interface Devices {
  /** With a token: a chosen one, or one that is generated. */
  create(input: NewDevice & { token?: string; expiresAt?: number }): Promise<Issued<Device>>;
  /** Without any credential: a device that a gateway speaks for, or that will show a certificate. */
  register(input: NewDevice): Promise<Device>;
  get(name: DeviceName): Promise<Device>;
  list(input: { organisation: string; type?: string } & PageRequest): Promise<Page<Device>>;
  /** What is left out stays, `null` clears. */
  update(
    input: DeviceName & {
      description?: string | null;
      metadata?: Metadata | null;
      gatewayRole?: GatewayRole;
      by: string;
    },
  ): Promise<Device>;
  /** Its credentials end with it. */
  remove(input: DeviceName & { by: string }): Promise<void>;
  suspend(input: DeviceName & { by: string }): Promise<Device>;
  resume(input: DeviceName & { by: string }): Promise<Device>;
}
