import { tripAbove, tripWrites } from './plc.js';

/** What a row adds to the plant with the PLC. Lines of YAML, with their indentation. */
export interface Additions {
  readonly links?: string;
  readonly writes?: string;
  readonly rules?: string;
  readonly sinks?: string;
}

/** A link of Modbus devices. */
export interface LinkText {
  readonly name: string;
  readonly port: number;
  readonly period: string;
  /** A line for each device, of {@link device}. */
  readonly devices: readonly string[];
}

export const tagsOfDevice = 125;

export function linkText({ name, port, period, devices }: LinkText): string {
  return `  ${name}:
    driver: modbus
    endpoint: tcp://127.0.0.1:${port}
    scanClasses: { fast: ${period} }
    devices:
${devices.join('\n')}
`;
}

/** A device of registers in a row. @param nameOf the name of a tag, by its register */
export function device(
  name: string,
  unit: number,
  tags: number,
  nameOf: (register: number) => string = (register) => `t${register}`,
): string {
  const all = Array.from(
    { length: tags },
    (_, i) => `${nameOf(i)}: { address: hr:${i}, type: uint16 }`,
  );
  return `      ${name}: { unit: ${unit}, tags: { ${all.join(', ')} } }`;
}

/** Units 1 on, full of tags, as `L1`, `L2` and so on. */
export function devices(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => device(`L${i + 1}`, i + 1, tagsOfDevice));
}

export function sinkText(port: number, more = '', name = 'cloud'): string {
  return `  ${name}: { type: mqtt, url: "mqtt://127.0.0.1:${port}"${more} }\n`;
}

/** A gateway with the PLC, its interlock, and more. */
export function plantText(plcPort: number, socket: string, more: Additions = {}): string {
  const tags =
    'pressure: { address: hr:0, type: uint16, unit: bar }, run_cmd: { address: hr:1, type: uint16 }';
  const plc = `      P: { unit: 1, tags: { ${tags} } }`;
  return `millrace: 1
gateway: { id: lat }
control: { socket: ${socket} }
links:
${linkText({ name: 'plc', port: plcPort, period: '100ms', devices: [plc] })}${more.links ?? ''}writes:
  P.run_cmd: { allow: [rules], range: [0, ${tripWrites}] }
${more.writes ?? ''}rules:
  - { interlock: HIGH, cause: P.pressure > ${tripAbove} bar, latch: auto, effects: [{ set: P.run_cmd, to: ${tripWrites} }] }
${more.rules ?? ''}${more.sinks === undefined ? '' : `sinks:\n${more.sinks}`}`;
}
