export { everyItem, type PageOptions } from './caller.ts';
export { connectManagement, type Management, type ManagementOptions } from './connect-management.ts';
export { ManagementFailure } from './management-failure.ts';
export type * from './requests.ts';
