import { cp, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Ports that `examples/pump-station/plant.yaml` names. */
export const examplePorts = { station: 15_020, metering: 15_021, broker: 11_883 };

const example = new URL('../../../examples/pump-station/', import.meta.url);

/**
 * Copies the pump station into `folder`, with the ports that are really in use.
 * @returns the path of its plant.yaml
 */
export async function copyExample(
  folder: string,
  ports: Readonly<typeof examplePorts>,
): Promise<string> {
  // Not what a gateway left there that was run in it.
  const isOfExample = (path: string): boolean => basename(path) !== 'millrace-data';
  await cp(fileURLToPath(example), folder, { recursive: true, filter: isOfExample });
  const file = join(folder, 'plant.yaml');
  let text = await readFile(file, 'utf8');
  for (const name of ['station', 'metering', 'broker'] as const) {
    text = text.replace(
      `127.0.0.1:${String(examplePorts[name])}`,
      `127.0.0.1:${String(ports[name])}`,
    );
  }
  await writeFile(file, text);
  return file;
}
