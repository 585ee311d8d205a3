import {
  DataType,
  StatusCodes,
  type OPCUAServer,
  type UAObject,
  type UAVariable,
} from 'node-opcua';
import { must } from './must.js';

/** The namespace of the equipment. */
export const equipmentUri = 'urn:test:equipment';

/**
 * A tank with what servers have beside plain values: alarms that can be acknowledged, events, methods, and a
 * level that remembers.
 */
export function equip(
  server: OPCUAServer,
  variables: Map<string, UAVariable>,
  onCall: (call: readonly unknown[]) => void,
): void {
  const space = server.engine.addressSpace;
  must(space !== null, 'an address space');
  space.installAlarmsAndConditionsService();
  const ns = space.registerNamespace(equipmentUri);
  const area = ns.addObject({
    organizedBy: space.rootFolder.objects,
    notifierOf: space.rootFolder.objects.server,
    browseName: 'Area',
    nodeId: 's=Area',
    eventNotifier: 1,
  });
  const tank = ns.addObject({
    organizedBy: area,
    eventSourceOf: area,
    browseName: 'Tank',
    nodeId: 's=Tank',
    eventNotifier: 1,
  });
  const level = ns.addVariable({
    propertyOf: tank,
    browseName: 'Level',
    nodeId: 's=Level',
    dataType: DataType.Double,
    minimumSamplingInterval: 0,
    value: { dataType: DataType.Double, value: 50 },
  });
  space.installHistoricalDataNode(level, { maxOnlineValues: 5_000 });
  variables.set('Level', level);
  ns.instantiateExclusiveLimitAlarm('ExclusiveLevelAlarmType', {
    browseName: 'LevelAlarm',
    conditionName: 'LevelAlarm',
    componentOf: tank,
    conditionSource: tank,
    inputNode: level,
    optionals: ['Acknowledge', 'Confirm'],
    highHighLimit: 95,
    highLimit: 80,
    lowLimit: 20,
    lowLowLimit: 5,
  });
  addMethods(tank, onCall);
}

function addMethods(tank: UAObject, onCall: (call: readonly unknown[]) => void): void {
  const ns = tank.namespace;
  const input = (name: string, dataType: DataType): object => ({ name, dataType, description: '' });
  ns.addMethod(tank, { browseName: 'Empty', nodeId: 's=Tank.Empty' }).bindMethod(
    (_, _context, done) => {
      onCall(['Empty']);
      done(null, { statusCode: StatusCodes.Good });
    },
  );
  ns.addMethod(tank, {
    browseName: 'Fill',
    nodeId: 's=Tank.Fill',
    inputArguments: [input('amount', DataType.Float), input('valve', DataType.UInt16)],
    outputArguments: [],
  }).bindMethod((given, _context, done) => {
    const values = given.map(({ value }) => value as unknown);
    const isTooMuch = Number(values[0]) > 100;
    if (!isTooMuch) onCall(['Fill', ...values]);
    done(null, { statusCode: isTooMuch ? StatusCodes.BadOutOfRange : StatusCodes.Good });
  });
}

/** An event of the tank that is no alarm. */
export function raise(server: OPCUAServer, severity: number, message: string): void {
  const tank = server.engine.addressSpace?.findNode(
    `ns=${String(server.engine.addressSpace.getNamespaceIndex(equipmentUri))};s=Tank`,
  ) as UAObject | null;
  tank?.raiseEvent('SystemEventType', {
    message: { dataType: DataType.LocalizedText, value: { text: message } },
    severity: { dataType: DataType.UInt32, value: severity },
  });
}
