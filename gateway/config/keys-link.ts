import { tagTypes, type DriverModule } from '../contract/index.js';
import { anyMap, choice, closed, duration, ends, named, number, pair, text } from './fields.js';
import type { Field, Shape } from './fields.js';
import { tlsField } from './keys-tls.js';

const unit = text('Engineering unit, as people and rules see it.', { examples: ['m3/h'] });
const description = text('Description for people.', { examples: ['Discharge flow'] });
const enumeration: Field = {
  type: 'object',
  title: 'a map from numbers to texts, like { 0: closed, 1: open }',
  propertyNames: { type: 'string', pattern: '^-?\\d+$' },
  additionalProperties: { type: ['string', 'number', 'boolean'] },
  description: 'Texts for the numbers of an integer or a bool.',
  examples: [{ 0: 'closed', 1: 'open' }],
};
const constantValue: Field = {
  type: ['number', 'boolean', 'string'],
  title: 'a number, true or false, or a quantity like 32 A',
  description: 'Makes the tag a constant that is not read from a device.',
  examples: ['32 A'],
};

/** Keys that every tag on a device has, whatever the driver. */
export const tagShape: Shape = {
  description: 'One value of the device.',
  properties: {
    type: choice('Type of the raw value in the device.', tagTypes),
    unit,
    description,
    scale: number('Engineering value = raw × scale + offset.', { default: 1, examples: [0.1] }),
    offset: number('Added after scaling.', { default: 0, examples: [-40] }),
    span: pair(
      'Range of the instrument in engineering units; outside it the quality is uncertain.',
      [0, 60],
    ),
    signal: choice(
      'Signal behind the value. 4-20mA: the value counts up to 3.8 and 20.5 mA; at 3.6 and 21 mA the signal has failed (NAMUR NE 43). digital: there is no signal that could fail.',
      ['4-20mA', 'digital'],
    ),
    over: ends(
      'Ends of the measuring reserve, in engineering units or percent of the span: up to there a value counts as measured, beyond it as a bound.',
      ['-1.25 %', '103.125 %'],
    ),
    failure: ends(
      'Ends at which the signal has failed, in engineering units or percent of the span: from there on the value is bad.',
      ['-2.5 %', '106.25 %'],
    ),
    enum: enumeration,
    scan: text('Scan class of the link. Default: the class named default, or else the first one.', {
      examples: ['fast'],
    }),
    deadband: {
      type: ['number', 'string'],
      title: 'a number in engineering units, or a percentage of the span like 0.5 %',
      description:
        'Smallest change that is recorded and sent, in engineering units or percent of the span. Rules see every sample.',
      default: 0,
      examples: ['0.5 %'],
    },
    maxSilence: duration(
      'Maximum time without recording and sending, even if nothing changes. Default: unlimited.',
      '60s',
    ),
    stale: duration(
      'Age at which the value turns bad. Default: three times the period of its scan class.',
      '5s',
    ),
  },
  required: ['type'],
};

/** Keys of a tag that is a constant of the configuration. */
export const constantShape: Shape = {
  description: 'A constant.',
  properties: {
    value: constantValue,
    type: choice('Default: bool for true and false, float64 for numbers.', tagTypes),
    unit,
    description,
    enum: enumeration,
  },
  required: ['value'],
};

export const deviceShape: Shape = {
  description: 'One device on the link.',
  properties: {
    profile: text(
      'File with the tags of this type of device, or the name of a profile that comes with the driver. Keys of the device override those of the profile.',
      { examples: ['profiles/pump-vfd.yaml'] },
    ),
    parameters: {
      type: 'object',
      description: 'Values for the parameters of the profile.',
      additionalProperties: { type: ['string', 'number', 'boolean'] },
      examples: [{ ratedCurrent: '32 A' }],
    },
    primary: text('Tag that the device name alone means in rules.', { examples: ['flow'] }),
    tags: named('Tags by name.', anyMap),
  },
};

export const linkShape: Shape = {
  description: 'One connection: a socket or a serial port, with all devices behind it.',
  properties: {
    driver: text('The driver that speaks the protocol.', { examples: ['modbus'] }),
    endpoint: text('Where the devices are.', { examples: ['tcp://10.0.0.5:502'] }),
    inProcess: {
      type: 'boolean',
      description:
        'Run the driver of a package in the process of the gateway rather than in a thread: faster, and its defects can end the gateway.',
      default: false,
      examples: [true],
    },
    scanClasses: {
      ...named('How often tags are read, by names of your choice.', duration('Period.', '500ms')),
      default: { default: '1s' },
      minProperties: 1,
      examples: [{ fast: '500ms', slow: '10s' }],
    },
    tls: tlsField({
      serverName: text(
        'Name in the certificate of the device. Default: the host of the endpoint.',
        {
          examples: ['plc7.plant.example'],
        },
      ),
    }),
    devices: named('Devices by name; a name is unique over all links.', anyMap),
  },
  required: ['driver', 'endpoint', 'devices'],
};

export const profileShape: Shape = {
  description: 'Tags of a type of device, in a separate file.',
  properties: {
    profile: { const: 1, description: 'Version of the profile format.', default: 1, examples: [1] },
    description,
    source: text('Source of the data: manual, edition, page.', {
      examples: ['ACS580 manual, 3AXD50000016097 rev. E'],
    }),
    parameters: {
      ...named('Values that devices must or may supply, used as ${parameters.NAME}.', {
        type: ['object', 'string', 'number', 'boolean'],
      }),
      examples: [{ ratedCurrent: { unit: 'A', description: 'From the name plate' } }],
    },
    tags: named('Tags by name.', anyMap),
  },
};

export const parameterShape: Shape = {
  description: 'One parameter of a profile.',
  properties: {
    default: {
      type: ['string', 'number', 'boolean'],
      description: 'Used where a device supplies none. Default: none, each device must supply one.',
      examples: ['32 A'],
    },
    unit: text('Unit that quantities must have.', { examples: ['A'] }),
    description,
  },
};

type Level = 'link' | 'device' | 'tag';
const shapes: Readonly<Record<Level, Shape>> = {
  link: linkShape,
  device: deviceShape,
  tag: tagShape,
};

/** Our keys and the driver's; where both have one of the same name, the driver's counts. */
export function withDriver(level: Level, driver: DriverModule): Shape {
  const own = shapes[level];
  const theirs = driver.schema[level];
  return {
    description: own.description,
    properties: { ...own.properties, ...theirs.properties },
    required: [...new Set([...(own.required ?? []), ...(theirs.required ?? [])])].filter(
      (key) => key !== 'type' || driver.defaultType === undefined,
    ),
  };
}

/** Is this tag a constant? A driver with a key `value` of its own gets the tags that have a type. */
export function isConstant(
  tag: { has: (key: string) => boolean },
  driver: DriverModule | undefined,
): boolean {
  if (!tag.has('value')) return false;
  return !driver || !Object.hasOwn(driver.schema.tag.properties, 'value') || !tag.has('type');
}

const scanClasses = linkShape.properties['scanClasses'];

/** A link for editors: nested whole; nothing is required that a profile may give. */
export function linkSchema(driver: DriverModule | undefined): Field {
  const open = (level: Level): Record<string, Field> =>
    driver ? { ...withDriver(level, driver).properties } : { ...shapes[level].properties };
  const finish = (shape: Shape): Field =>
    driver ? closed(shape) : { ...closed(shape), additionalProperties: true };
  const tag = finish({
    description: tagShape.description,
    properties: { value: constantValue, ...open('tag') },
  });
  const device = finish({
    description: deviceShape.description,
    properties: { ...open('device'), tags: named('Tags by name.', tag) },
  });
  const properties: Record<string, Field> = {
    ...open('link'),
    devices: named('Devices by name; a name is unique over all links.', device),
    ...(scanClasses ? { scanClasses } : {}),
  };
  if (driver)
    properties['driver'] = { const: driver.name, description: `The driver ${driver.name}.` };
  const { required = [] } = driver ? withDriver('link', driver) : linkShape;
  return finish({ description: linkShape.description, properties, required });
}
