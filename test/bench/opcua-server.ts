/** Server of the OPC UA bench: so many doubles, all changed once a period. */
import { join } from 'node:path';
import {
  DataType,
  OPCUACertificateManager,
  OPCUAServer,
  Variant,
  type UAVariable,
} from 'node-opcua';

const [port = 0, items = 0, period = 1_000] = process.argv.slice(2, 5).map(Number);
const folder = process.argv[5] ?? '.';
const certificates = new OPCUACertificateManager({
  rootFolder: join(folder, 'server-pki'),
  automaticallyAcceptUnknownCertificate: true,
  disableFileWatchers: true,
});
await certificates.initialize();
const server = new OPCUAServer({
  port,
  resourcePath: '/bench',
  serverCertificateManager: certificates,
});
await server.initialize();
const { addressSpace } = server.engine;
const ns = addressSpace?.registerNamespace('urn:bench');
const all: UAVariable[] = [];
for (let i = 0; i < items; i++)
  if (ns && addressSpace)
    all.push(
      ns.addVariable({
        organizedBy: addressSpace.rootFolder.objects,
        browseName: `t${String(i)}`,
        nodeId: `s=t${String(i)}`,
        dataType: 'Double',
        minimumSamplingInterval: 0,
        value: { dataType: DataType.Double, value: 0 },
      }),
    );
await server.start();
let round = 0;
setInterval(() => {
  round++;
  for (const one of all)
    one.setValueFromSource(new Variant({ dataType: DataType.Double, value: round }));
}, period);
process.stdout.write('up\n');
