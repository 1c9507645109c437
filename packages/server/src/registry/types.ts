import type { Metadata, Page, SecurityLevel } from '@sallyport/model';
import type { PageRequest } from '../storage/page.ts';
import type { DeviceClass, DeviceType } from './records.ts';

export interface TypeName {
  readonly organisation: string;
  readonly id: string;
}

export interface Types {
  create(
    input: TypeName & {
      class?: DeviceClass;
      description?: string;
      security?: SecurityLevel;
      metadata?: Metadata;
      by: string;
    },
  ): Promise<DeviceType>;
  get(name: TypeName): Promise<DeviceType>;
  list(input: { organisation: string } & PageRequest): Promise<Page<DeviceType>>;
  /** What is left out stays, `null` clears. */
  update(
    input: TypeName & {
      description?: string | null;
      security?: SecurityLevel | null;
      metadata?: Metadata | null;
      by: string;
    },
  ): Promise<DeviceType>;
  /** Refused with `in_use` while it has devices. */
  remove(input: TypeName & { by: string }): Promise<void>;
}
