import type { Services } from './api-options.ts';
import type { Route } from './route.ts';
import { addressListRoutes } from './routes/address-lists.ts';
import { alertRoutes } from './routes/alerts.ts';
import { applicationRoutes } from './routes/applications.ts';
import { auditRoutes } from './routes/audit.ts';
import { authorityRoutes } from './routes/authorities.ts';
import { blockRoutes } from './routes/blocks.ts';
import { certificateRoutes } from './routes/certificates.ts';
import { credentialRoutes } from './routes/credentials.ts';
import { deviceRoutes } from './routes/devices.ts';
import { enrolmentRoutes } from './routes/enrolment.ts';
import { explanationRoutes } from './routes/explanations.ts';
import { firmwareRoutes } from './routes/firmware.ts';
import { identityRoutes } from './routes/identities.ts';
import { incidentRoutes } from './routes/incidents.ts';
import { issuerRoutes } from './routes/issuers.ts';
import { oauthRoutes } from './routes/oauth.ts';
import { operatorRoutes } from './routes/operators.ts';
import { organisationRoutes } from './routes/organisations.ts';
import { pendingDeviceRoutes } from './routes/pending-devices.ts';
import { policyRoutes } from './routes/policies.ts';
import { rolloutRoutes } from './routes/rollouts.ts';
import { securityRoutes } from './routes/security.ts';
import { serverCertificateRoutes } from './routes/server-certificates.ts';
import { sessionRoutes } from './routes/sessions.ts';
import { systemRoutes } from './routes/system.ts';
import { typeRoutes } from './routes/types.ts';
import { unlockRoutes } from './routes/unlock.ts';

/** Every route of `/api/v1`: the one table that server, OpenAPI document and authorization are made from. */
export function apiRoutes(services: Services, now: () => number): readonly Route[] {
  return [
    ...systemRoutes(services),
    ...organisationRoutes(services),
    ...typeRoutes(services),
    ...deviceRoutes(services, now),
    ...applicationRoutes(services, now),
    ...operatorRoutes(services, now),
    ...credentialRoutes(services, now),
    ...authorityRoutes(services),
    ...certificateRoutes(services, now),
    ...serverCertificateRoutes(services),
    ...firmwareRoutes(services),
    ...rolloutRoutes(services),
    ...oauthRoutes(services),
    ...identityRoutes(services, now),
    ...issuerRoutes(services),
    ...enrolmentRoutes(services, now),
    ...pendingDeviceRoutes(services),
    ...policyRoutes(services),
    ...addressListRoutes(services, now),
    ...blockRoutes(services),
    ...incidentRoutes(services),
    ...alertRoutes(services),
    ...auditRoutes(services),
    ...explanationRoutes(services),
    ...securityRoutes(services, now),
    ...sessionRoutes(services),
    ...unlockRoutes(services),
  ];
}
