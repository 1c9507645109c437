// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of policies are written like this.
import type { Action } from './decision.ts';
import type { PolicyDocument, PolicyStatement } from './document.ts';

const OWN = 'type/${principal.type}/id/${principal.id}';
const ANY = 'type/+/id/+';
const LISTEN: readonly Action[] = ['subscribe', 'receive'];

const APPLICATION = { effect: 'permit', principals: ['application:*'] } as const;
const DEVICE = { effect: 'permit', principals: ['device:*'] } as const;
const GATEWAY = { effect: 'permit', principals: ['gateway:*'] } as const;
const GATEWAY_ROLES = ['gateway-standard', 'gateway-privileged'];
const ALL_APPLICATION_ROLES = [
  'standard',
  'operations',
  'backend-trusted',
  'data-processor',
  'visualization',
  'device',
];
const VIEWERS = ALL_APPLICATION_ROLES.filter((role) => role !== 'device');
const KEEPERS = ['standard', 'operations', 'backend-trusted'];

function managementTopics(scope: string): readonly string[] {
  return ['response', 'notify', 'device/update/+', 'add/+/+', 'clear/+/+', 'mgmt/+'].map(
    (rest) => `iotdevice-1/${scope}/${rest}`,
  );
}

const DEVICE_STATEMENTS: readonly PolicyStatement[] = [
  {
    id: 'watson.device.connect',
    description: 'A device connects under its own client id.',
    ...DEVICE,
    actions: ['connect'],
    resources: ['d:${principal.organisation}:${principal.type}:${principal.id}'],
  },
  {
    id: 'watson.device.publish-events',
    description: 'A device publishes its own events (short: iot-2/evt/EVENT/fmt/FORMAT).',
    ...DEVICE,
    actions: ['publish'],
    resources: [`iot-2/${OWN}/evt/+/fmt/+`],
  },
  {
    id: 'watson.device.publish-management',
    description: 'A device speaks the device management protocol for itself.',
    ...DEVICE,
    actions: ['publish'],
    resources: managementTopics(OWN),
  },
  {
    id: 'watson.device.receive-commands',
    description: 'A device receives its own commands (short: iot-2/cmd/COMMAND/fmt/FORMAT).',
    ...DEVICE,
    actions: LISTEN,
    resources: [`iot-2/${OWN}/cmd/+/fmt/+`],
  },
  {
    id: 'watson.device.receive-management',
    description: 'A device receives device management requests and answers to its own.',
    ...DEVICE,
    actions: LISTEN,
    resources: [`iotdm-1/${OWN}/#`],
  },
  {
    id: 'watson.device.receive-status',
    description: 'A device sees its own connection status and notifications.',
    ...DEVICE,
    actions: LISTEN,
    resources: [`iot-2/${OWN}/mon`, `iot-2/${OWN}/notify`],
  },
];

const GATEWAY_STATEMENTS: readonly PolicyStatement[] = [
  {
    id: 'watson.gateway.connect',
    description: 'A gateway connects under its own client id.',
    ...GATEWAY,
    actions: ['connect'],
    resources: ['g:${principal.organisation}:${principal.type}:${principal.id}'],
  },
  {
    id: 'watson.gateway.publish-events',
    description: 'A gateway publishes events of its own and of the devices attached to it.',
    ...GATEWAY,
    roles: GATEWAY_ROLES,
    actions: ['publish'],
    resources: [`iot-2/${ANY}/evt/+/fmt/+`],
  },
  {
    id: 'watson.gateway.publish-management',
    description: 'A gateway speaks the device management protocol for itself and for the devices attached to it.',
    ...GATEWAY,
    roles: GATEWAY_ROLES,
    actions: ['publish'],
    resources: managementTopics(ANY),
  },
  {
    id: 'watson.gateway.receive-commands',
    description:
      'A gateway receives commands, answers and notifications for itself and for the devices attached to it.',
    ...GATEWAY,
    roles: GATEWAY_ROLES,
    actions: LISTEN,
    resources: [`iot-2/${ANY}/cmd/+/fmt/+`, `iot-2/${ANY}/response`, `iot-2/${ANY}/notify`],
  },
  {
    id: 'watson.gateway.receive-management',
    description: 'A gateway receives device management requests for itself and for the devices attached to it.',
    ...GATEWAY,
    roles: GATEWAY_ROLES,
    actions: LISTEN,
    resources: [`iotdm-1/${ANY}/#`],
  },
  {
    id: 'watson.gateway.receive-status',
    description: 'A gateway sees its own connection status (short: iot-2/mon).',
    ...GATEWAY,
    actions: LISTEN,
    resources: [`iot-2/${OWN}/mon`],
  },
  {
    id: 'watson.gateway.view-devices',
    description: 'A gateway sees the registered devices.',
    ...GATEWAY,
    roles: GATEWAY_ROLES,
    actions: ['manage'],
    resources: ['devices/read', 'types/read'],
  },
  {
    id: 'watson.gateway.create-devices',
    description: 'A privileged gateway registers the devices that it meets.',
    ...GATEWAY,
    roles: ['gateway-privileged'],
    actions: ['manage'],
    resources: ['devices/create'],
  },
];

const APPLICATION_MESSAGE_STATEMENTS: readonly PolicyStatement[] = [
  {
    id: 'watson.application.connect',
    description: 'An application connects under its own client id, also as several instances (A:).',
    ...APPLICATION,
    actions: ['connect'],
    resources: [
      'a:${principal.organisation}:${principal.id}',
      'A:${principal.organisation}:${principal.id}',
      'A:${principal.organisation}:${principal.id}:*',
    ],
  },
  {
    id: 'watson.application.receive-events',
    description: 'Applications receive events of the devices.',
    ...APPLICATION,
    roles: ALL_APPLICATION_ROLES,
    actions: LISTEN,
    resources: [`iot-2/${ANY}/evt/+/fmt/+`],
  },
  {
    id: 'watson.application.receive-twin-events',
    description: 'Applications receive state and errors of interfaces, rules and things.',
    ...APPLICATION,
    roles: ALL_APPLICATION_ROLES,
    actions: LISTEN,
    resources: [
      `iot-2/${ANY}/intf/+/evt/state`,
      `iot-2/${ANY}/err/data`,
      'iot-2/intf/+/rule/+/evt/trigger',
      'iot-2/intf/+/rule/+/err/data',
      `iot-2/thing/${ANY}/intf/+/evt/state`,
      `iot-2/thing/${ANY}/err/data`,
    ],
  },
  {
    id: 'watson.application.publish-events',
    description: 'Trusted applications publish events in the name of a device.',
    ...APPLICATION,
    roles: ['standard', 'backend-trusted', 'device'],
    actions: ['publish'],
    resources: [`iot-2/${ANY}/evt/+/fmt/+`],
  },
  {
    id: 'watson.application.publish-commands',
    description: 'Applications send commands to devices.',
    ...APPLICATION,
    roles: ['standard', 'operations', 'backend-trusted', 'data-processor'],
    actions: ['publish'],
    resources: [`iot-2/${ANY}/cmd/+/fmt/+`],
  },
  {
    id: 'watson.application.receive-commands',
    description: 'Some applications see the commands that others send.',
    ...APPLICATION,
    roles: ['standard', 'backend-trusted', 'device'],
    actions: LISTEN,
    resources: [`iot-2/${ANY}/cmd/+/fmt/+`],
  },
  {
    id: 'watson.application.receive-status',
    description: 'Applications that may view devices see who is connected.',
    ...APPLICATION,
    roles: VIEWERS,
    actions: LISTEN,
    resources: [`iot-2/${ANY}/mon`, 'iot-2/app/+/mon'],
  },
];

const APPLICATION_MANAGE_STATEMENTS: readonly PolicyStatement[] = [
  {
    id: 'watson.application.keep-devices',
    description: 'Applications that keep the registry create, change and remove devices and types.',
    ...APPLICATION,
    roles: KEEPERS,
    actions: ['manage'],
    resources: ['devices', 'types'].flatMap((what) => [`${what}/create`, `${what}/update`, `${what}/delete`]),
  },
  {
    id: 'watson.application.view-devices',
    description: 'Applications see the registered devices and types.',
    ...APPLICATION,
    roles: VIEWERS,
    actions: ['manage'],
    resources: ['devices/read', 'types/read'],
  },
  {
    id: 'watson.application.request-management',
    description: 'Applications start device management requests.',
    ...APPLICATION,
    roles: ['standard', 'operations'],
    actions: ['manage'],
    resources: ['management-requests/+'],
  },
  {
    id: 'watson.application.keep-diagnostics',
    description: 'Applications read and clear diagnostic logs.',
    ...APPLICATION,
    roles: [...KEEPERS, 'device'],
    actions: ['manage'],
    resources: ['diagnostics/+'],
  },
  {
    id: 'watson.application.view-connections',
    description: 'Applications read connection logs.',
    ...APPLICATION,
    roles: KEEPERS,
    actions: ['manage'],
    resources: ['connection-logs/read'],
  },
  {
    id: 'watson.application.view-last-events',
    description: 'Applications read the last event of a device.',
    ...APPLICATION,
    roles: ALL_APPLICATION_ROLES,
    actions: ['manage'],
    resources: ['last-events/read'],
  },
  {
    id: 'watson.application.keep-access',
    description: 'Operations applications manage keys and roles of applications.',
    ...APPLICATION,
    roles: ['operations'],
    actions: ['manage'],
    resources: ['access/+'],
  },
];

/** The role of a pending session whose device type takes the published flow of the one-time code. */
export const PUBLISHED_UNLOCK_ROLE = 'unlock-as-published';

const PENDING = {
  effect: 'permit',
  principals: ['device:*', 'gateway:*'],
  when: { assurance: 'pending' },
} as const;

const UNLOCK_STATEMENTS: readonly PolicyStatement[] = [
  {
    id: 'watson.unlock.ask',
    description: 'A session that waits for its one-time code asks for it and gives it.',
    ...PENDING,
    actions: ['publish'],
    resources: ['unlock-request', 'unlock-response'].map((event) => `iot-2/${OWN}/evt/${event}/fmt/json`),
  },
  {
    id: 'watson.unlock.hear',
    description: 'A session that waits for its one-time code hears how it stands.',
    ...PENDING,
    actions: LISTEN,
    resources: [`iot-2/${OWN}/cmd/unlock/fmt/json`],
  },
  {
    id: 'watson.unlock.ask-as-published',
    description: 'The same for devices of the published flow, where their type takes it.',
    ...PENDING,
    roles: [PUBLISHED_UNLOCK_ROLE],
    actions: ['publish'],
    resources: [`iot-2/${OWN}/evt/eid/fmt/json`],
  },
  {
    id: 'watson.unlock.hear-as-published',
    description: 'The same for devices of the published flow, where their type takes it.',
    ...PENDING,
    roles: [PUBLISHED_UNLOCK_ROLE],
    actions: LISTEN,
    resources: [`iot-2/${OWN}/cmd/cid/fmt/json`],
  },
  {
    id: 'watson.application.deliver-codes',
    description: 'Trusted applications get the one-time codes that they are to hand to the owners of devices.',
    ...APPLICATION,
    roles: ['operations', 'backend-trusted'],
    actions: LISTEN,
    resources: [`iot-2/${ANY}/unlock-code`],
  },
  {
    id: 'watson.application.receive-alerts',
    description: 'Operations applications hear of incidents about principals of their organisation.',
    ...APPLICATION,
    roles: ['operations'],
    actions: LISTEN,
    resources: ['iot-2/incident/+'],
  },
];

const SHAPE_STATEMENTS: readonly PolicyStatement[] = [
  {
    id: 'watson.no-forged-alerts',
    description: 'Only the server itself tells of incidents.',
    effect: 'deny',
    principals: ['device:*', 'gateway:*', 'application:*'],
    actions: ['publish'],
    resources: ['iot-2/incident/#'],
  },
  {
    id: 'watson.no-empty-levels',
    description: 'Types, ids, events, commands and formats have names: nothing is published where one is empty.',
    effect: 'deny',
    principals: ['device:*', 'gateway:*', 'application:*'],
    actions: ['publish'],
    resources: [
      'iot-2/type//#',
      'iot-2/type/+/id//#',
      ...['evt', 'cmd'].flatMap((what) => [`iot-2/${ANY}/${what}//fmt/+`, `iot-2/${ANY}/${what}/+/fmt/`]),
      'iotdevice-1/type//#',
      'iotdevice-1/type/+/id//#',
      ...['device/update/', 'add//+', 'add/+/', 'clear//+', 'clear/+/', 'mgmt/'].map(
        (rest) => `iotdevice-1/${ANY}/${rest}`,
      ),
    ],
  },
];

/**
 * The built-in policy: the topic rules, permission bits and roles of Watson IoT as statements (docs/guide/policies.md).
 * It concerns every organisation; topics are full names on the organisation's router.
 */
export const WATSON_POLICY: PolicyDocument = {
  statements: [
    ...DEVICE_STATEMENTS,
    ...GATEWAY_STATEMENTS,
    ...APPLICATION_MESSAGE_STATEMENTS,
    ...APPLICATION_MANAGE_STATEMENTS,
    ...UNLOCK_STATEMENTS,
    ...SHAPE_STATEMENTS,
  ],
};
