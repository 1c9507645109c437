export { everyItem, type PageOptions } from './caller.ts';
export { connectManagement, type Management, type ManagementOptions } from './connect-management.ts';
export type { NewReleaseRequest, OfflineFirmwareRoles } from './firmware-calls.ts';
export { ManagementFailure } from './management-failure.ts';
export type * from './requests.ts';
export type { ServerCertificateRequest } from './server-certificate-calls.ts';
