import { join } from 'node:path';
import {
  coerceNodeId,
  DataType,
  nodesets,
  OPCUACertificateManager,
  OPCUAServer,
  standardUnits,
  StatusCodes,
  Variant,
  VariantArrayType,
  type Namespace,
  type UAVariable,
  type VariantLike,
} from 'node-opcua';
import { equip } from './opcua-equipment.js';

export interface UaServerOptions {
  readonly port: number;
  /** Where its certificates are. */
  readonly folder: string;
  /** Namespaces before the one of the nodes, so that its index moves. */
  readonly before?: readonly string[];
  readonly maxSessions?: number;
  /** Sessions are kept for so long at most, ms. */
  readonly maxSessionTimeout?: number;
  /** So many items are taken in one request, and no node says so. */
  readonly hiddenLimit?: number;
  /** Name of the folder with its certificates. */
  readonly pki?: string;
  /** Trusts the certificate of every client. */
  readonly trusting?: boolean;
  /** With the nodes of examples/opcua-line. */
  readonly example?: boolean;
  /** With alarms, methods and a history. */
  readonly equipped?: boolean;
  /** With a structure of a companion specification: a type that clients do not know. */
  readonly structures?: boolean;
}

/** The namespace of the nodes. */
export const uri = 'urn:test:line';
export const users: Readonly<Record<string, string>> = { operator: 'secret' };

/** One of every built-in type that a tag can hold, by the name of its node: type, value, what a tag shows. */
export const samples: Readonly<Record<string, readonly [type: DataType, value: unknown]>> = {
  Boolean: [DataType.Boolean, true],
  SByte: [DataType.SByte, -128],
  Byte: [DataType.Byte, 255],
  Int16: [DataType.Int16, -32_768],
  UInt16: [DataType.UInt16, 65_535],
  Int32: [DataType.Int32, -2_147_483_648],
  UInt32: [DataType.UInt32, 4_294_967_295],
  Int64: [DataType.Int64, [0x8000_0000, 1]],
  UInt64: [DataType.UInt64, [0xffff_ffff, 0xffff_fffe]],
  Float: [DataType.Float, 1.5],
  Double: [DataType.Double, Math.PI],
  String: [DataType.String, 'Förderband 带'],
  DateTime: [DataType.DateTime, new Date(Date.UTC(2026, 1, 3, 4, 5, 6, 789))],
  Guid: [DataType.Guid, '72962B91-FA75-4AE6-8D28-B404DC7DAF63'],
  ByteString: [DataType.ByteString, Buffer.from([0, 1, 254, 255])],
  LocalizedText: [DataType.LocalizedText, { text: 'Läuft', locale: 'de' }],
  QualifiedName: [DataType.QualifiedName, { name: 'Speed', namespaceIndex: 1 }],
  NodeId: [DataType.NodeId, coerceNodeId('ns=1;s=Elsewhere')],
};

/** A server of the `node-opcua` package with nodes for every test. */
export class UaServer {
  readonly server: OPCUAServer;
  readonly #variables = new Map<string, UAVariable>();
  /** Calls of methods: name and arguments. */
  readonly calls: (readonly unknown[])[] = [];
  #count = 0;
  #counting: NodeJS.Timeout | undefined;

  private constructor(server: OPCUAServer) {
    this.server = server;
  }

  static async start(options: UaServerOptions): Promise<UaServer> {
    const { port, folder, pki = 'server-pki', trusting = true } = options;
    const certificates = new OPCUACertificateManager({
      rootFolder: join(folder, pki),
      automaticallyAcceptUnknownCertificate: trusting,
      disableFileWatchers: true,
    });
    await certificates.initialize();
    const server = new OPCUAServer({
      port,
      resourcePath: '/line',
      maxConnectionsPerEndpoint: Math.max(20, options.maxSessions ?? 0),
      serverCertificateManager: certificates,
      userCertificateManager: certificates,
      ...(options.structures
        ? { nodeset_filename: [nodesets.standard, nodesets.di, nodesets.autoId] }
        : {}),
      userManager: { isValidUser: (name: string, password: string) => users[name] === password },
      serverCapabilities: {
        ...(options.maxSessions === undefined ? {} : { maxSessions: options.maxSessions }),
        minSupportedSampleRate: 20,
        ...(options.hiddenLimit === undefined ? {} : limitsOf(options.hiddenLimit)),
      },
    });
    await server.initialize();
    if (options.hiddenLimit !== undefined) hideLimits(server);
    if (options.maxSessionTimeout !== undefined) shortenSessions(server, options.maxSessionTimeout);
    const started = new UaServer(server);
    started.#fill(options.before ?? []);
    if (options.example) started.#fillExample();
    if (options.equipped)
      equip(started.server, started.#variables, (call) => started.calls.push(call));
    if (options.structures) started.#fillStructures();
    await server.start();
    return started;
  }

  /** How well it serves, as it says itself: 0 to 255. */
  set serviceLevel(level: number) {
    const node = this.server.engine.addressSpace?.findNode('i=2267') as UAVariable;
    node.bindVariable({ get: () => new Variant({ dataType: DataType.Byte, value: level }) }, true);
  }

  stop(): Promise<void> {
    clearInterval(this.#counting);
    return this.server.shutdown(0);
  }

  #fill(before: readonly string[]): void {
    const { addressSpace } = this.server.engine;
    if (!addressSpace) return;
    for (const name of before) addressSpace.registerNamespace(name);
    const ns = addressSpace.registerNamespace(uri);
    const line = ns.addFolder(addressSpace.rootFolder.objects, { browseName: 'Line' });
    const add = (name: string, value: VariantLike): UAVariable => {
      const variable = addTo(ns, line, name, value);
      this.#variables.set(name, variable);
      return variable;
    };
    for (const [name, [dataType, value]] of Object.entries(samples))
      add(name, { dataType, arrayType: VariantArrayType.Scalar, value });
    add('Doubles', {
      dataType: DataType.Double,
      arrayType: VariantArrayType.Array,
      value: Float64Array.of(1, 2, 3),
    });
    add('UInt64s', {
      dataType: DataType.UInt64,
      arrayType: VariantArrayType.Array,
      value: [
        [0, 1],
        [1, 0],
      ],
    });
    add('count', { dataType: DataType.UInt32, value: 0 });
    const analog = ns.addAnalogDataItem({
      organizedBy: line,
      browseName: 'Speed of belt 1',
      nodeId: 's=Speed',
      dataType: 'Double',
      engineeringUnitsRange: { low: 0, high: 80 },
      engineeringUnits: standardUnits.metre_per_second,
      value: new Variant({ dataType: DataType.Double, value: 12.5 }),
    });
    this.#variables.set('Speed', analog);
  }

  #fillStructures(): void {
    const { addressSpace } = this.server.engine;
    const autoId = addressSpace?.getNamespaceIndex('http://opcfoundation.org/UA/AutoID/') ?? -1;
    const type = addressSpace?.findDataType('ScanSettings', autoId);
    const ns = addressSpace?.getNamespace(uri);
    if (!addressSpace || !type || !ns) return;
    const settings = addressSpace.constructExtensionObject(type, {
      duration: 1_500,
      cycles: 3,
      dataAvailable: true,
    });
    ns.addVariable({
      organizedBy: addressSpace.rootFolder.objects,
      browseName: 'Scan',
      nodeId: 's=Scan',
      dataType: type.nodeId,
      value: { dataType: DataType.ExtensionObject, value: settings },
    });
  }

  /** A line that runs when it is told to. */
  #fillExample(): void {
    const { addressSpace } = this.server.engine;
    const ns = addressSpace?.registerNamespace('urn:example:filling');
    if (!addressSpace || !ns) return;
    const line = ns.addFolder(addressSpace.rootFolder.objects, { browseName: 'Line1' });
    const nodes: Readonly<Record<string, VariantLike>> = {
      Speed: { dataType: DataType.Double, value: 40 },
      Bottles: {
        dataType: DataType.UInt64,
        arrayType: VariantArrayType.Scalar,
        value: [0xffff_ffff, 0xffff_fffe],
      },
      Product: { dataType: DataType.String, value: 'Water 0.5 l' },
      RunCommand: { dataType: DataType.Boolean, value: false },
      Running: { dataType: DataType.Boolean, value: false },
      Reset: { dataType: DataType.Boolean, value: false },
    };
    for (const [name, value] of Object.entries(nodes))
      this.#variables.set(`Line1.${name}`, addTo(ns, line, `Line1.${name}`, value));
    this.#variables.get('Line1.RunCommand')?.on('value_changed', ({ value }) => {
      this.#variables.get('Line1.Running')?.setValueFromSource(value);
    });
  }

  /** A number that counts up by one every so many milliseconds, each value once. */
  count(everyMs: number): void {
    this.#counting ??= setInterval(() => {
      this.#count++;
      this.set('count', this.#count);
    }, everyMs);
  }
  get counted(): number {
    return this.#count;
  }

  set(name: string, value: unknown, status = 'Good'): void {
    const variable = this.#variables.get(name);
    const dataType = samples[name]?.[0] ?? (name === 'count' ? DataType.UInt32 : DataType.Double);
    const code = StatusCodes[status as keyof typeof StatusCodes] as never;
    variable?.setValueFromSource(
      new Variant({ dataType, arrayType: VariantArrayType.Scalar, value }),
      code,
    );
  }

  value(name: string): unknown {
    return this.#variables.get(name)?.readValue().value.value as unknown;
  }

  get sessions(): number {
    return this.server.engine.currentSessionCount;
  }
  get subscriptions(): number {
    return this.server.engine.currentSubscriptionCount;
  }

  /** As a server that loses its sessions without a word. */
  dropSessions(): void {
    const { engine } = this.server;
    for (const session of engine.getSessions())
      engine.closeSession(session.authenticationToken, true, 'Terminated');
  }

  /** Deletes the subscriptions of all sessions. */
  dropSubscriptions(): void {
    for (const session of this.server.engine.getSessions())
      for (const { id } of session.publishEngine.subscriptions) session.deleteSubscription(id);
  }
}

function limitsOf(most: number): object {
  return {
    operationLimits: {
      maxNodesPerRead: most,
      maxNodesPerRegisterNodes: most,
      maxMonitoredItemsPerCall: most,
      maxNodesPerTranslateBrowsePathsToNodeIds: most,
    },
  };
}

/** The nodes of OperationLimits. */
function hideLimits({ engine: { addressSpace } }: OPCUAServer): void {
  for (const id of [
    11705, 12165, 11707, 11709, 11710, 11711, 11712, 11713, 11714, 12166, 12167, 12168,
  ]) {
    const node = addressSpace?.findNode(`i=${String(id)}`);
    if (node) addressSpace?.deleteNode(node);
  }
}

/** The package has no setting for it: what clients ask for is cut on its way in. */
function shortenSessions(server: OPCUAServer, most: number): void {
  interface Creating {
    _on_CreateSessionRequest(
      message: { request: { requestedSessionTimeout: number } },
      channel: unknown,
    ): unknown;
  }
  const creating = server as unknown as Creating;
  const usual = creating._on_CreateSessionRequest.bind(server);
  creating._on_CreateSessionRequest = (message, channel) => {
    const { request } = message;
    request.requestedSessionTimeout = Math.min(request.requestedSessionTimeout, most);
    return usual(message, channel);
  };
}

function addTo(ns: Namespace, parent: object, name: string, value: VariantLike): UAVariable {
  return ns.addVariable({
    organizedBy: parent as never,
    browseName: name,
    nodeId: `s=${name}`,
    dataType: DataType[value.dataType as DataType],
    valueRank: value.arrayType === VariantArrayType.Array ? 1 : -1,
    minimumSamplingInterval: 0,
    value,
  });
}
