import { anyMap, choice, closed, duration, formed, named, pair, text, words } from './fields.js';
import { mays } from './may.js';
import type { Field, Shape } from './fields.js';
import { patterns } from './units.js';

export const writeShape: Shape = {
  description: 'Permission to write one tag. Tags without one are read-only.',
  properties: {
    allow: {
      ...words('Who may write.', ['rules', 'operator', 'cloud']),
      minItems: 1,
      examples: [['rules', 'operator']],
    },
    range: pair(
      'Permitted values in engineering units, both ends included. Default: any value of the type.',
      [0, 80],
    ),
    rate: {
      type: ['string', 'number'],
      title: 'a rate like 5 m/min per s, or a number for each second',
      description: 'Maximum rate of change, in engineering units. Default: unlimited.',
      examples: ['5 m/min per s'],
    },
    verify: {
      ...closed({
        description:
          'How to check that the device obeyed. none: for values that cannot be read back, and for pulses; once acknowledged, the value is not written again.',
        properties: {
          by: text('Tag that shows the result. Default: the tag itself.', {
            examples: ['P101.running'],
          }),
          within: duration('Time allowed. Default: three periods of that tag, at least 3s.', '3s'),
        },
      }),
      type: ['object', 'string'],
      title: 'none, or by and within',
      examples: ['none'],
      pattern: '^none$',
    },
    expect: {
      type: 'boolean',
      description: 'The writer must state the value that it means to replace.',
      default: false,
      examples: [true],
    },
  },
  required: ['allow'],
};

const gateway: Field = closed({
  description: 'This gateway.',
  properties: {
    id: {
      ...formed(
        'a name of letters, digits, "_", "." and "-", 64 at most',
        '^[A-Za-z0-9_.-]{1,64}$',
        'Name of the gateway, unique at the broker.',
      ),
      examples: ['ps01'],
    },
    site: {
      ...formed(
        'a path like waterworks/north, without + # and empty parts',
        '^[^/+#\\s]+(/[^/+#\\s]+)*$',
        'Location of the gateway (ISA-95 path), used in topics. Default: none.',
      ),
      examples: ['waterworks/north/pump-station'],
    },
    language: choice('Language of alarm texts and reports.', ['en', 'zh'], 'en'),
    firstStart: choice(
      'How interlocks with a manual latch start where there is no memory at all: by their own init, or tripped until a person resets them. A new SD card looks like a new gateway.',
      ['normal', 'tripped'],
      'normal',
    ),
    state: text(
      'Folder with a second copy of the memory of trips, beside the one in the journal.',
      {
        default: 'millrace-data/state',
        examples: ['/var/lib/millrace/state'],
      },
    ),
  },
  required: ['id'],
});

const size = (description: string, fallback: string): Field => ({
  ...formed('a size like 512MiB', patterns.size, description),
  default: fallback,
  examples: [fallback],
});

const journal: Field = closed({
  description: 'The log on disk through which all data pass on their way out.',
  properties: {
    path: text('File of the journal.', {
      default: 'millrace-data/journal.db',
      examples: ['/var/lib/millrace/journal.db'],
    }),
    size: size('Largest size on disk; at least 8MiB.', '512MiB'),
    age: duration('Older data are removed, whether they were sent or not.', '30d', '30d'),
    freeDisk: {
      ...formed('a percentage like 10 %', patterns.percent, 'Share of the disk that stays free.'),
      default: '10 %',
      examples: ['10 %'],
    },
    history: closed({
      description: 'Local history.',
      properties: {
        keep: duration('How long to keep data after they were sent. Default: not at all.', '7d'),
      },
    }),
    window: duration('Longest time between a sample and its commit; 100ms to 60s.', '1s', '1s'),
  },
});

const control: Field = closed({
  description: 'How the command line reaches the running gateway.',
  properties: {
    socket: text('Unix socket, at most 100 bytes long.', {
      default: 'millrace-data/control.sock',
      examples: ['/run/millrace/control.sock'],
    }),
    sockets: named(
      'Further sockets, for people and programs that may do less: each is NAME/control.sock beside the first one. Who may open it is a matter of the group of its folder.',
      closed({
        description: 'One of them.',
        properties: {
          may: choice(
            'What may be done through it: look, or also write, acknowledge, reset, bypass and shelve, or everything.',
            mays,
            'view',
          ),
          roles: {
            type: 'array',
            items: { type: 'string', minLength: 1 },
            uniqueItems: true,
            description: 'Roles of everybody who comes through it, whatever their name.',
            default: [],
            examples: [['shift']],
          },
        },
      }),
    ),
  },
});

/** The whole configuration, with the insides of links and sinks as given. */
export function rootShape(link: Field, sink: Field): Shape {
  return {
    description: 'Configuration of a Millrace gateway.',
    properties: {
      millrace: { const: 1, description: 'Version of the configuration format.', examples: [1] },
      include: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        description: 'Further files; their links, sinks, writes and rules are added to these.',
        default: [],
        examples: [['links/*.yaml']],
      },
      gateway,
      links: named('Connections to devices, by name.', link),
      writes: named(
        'Write permissions by tag name. Nothing else is writable.',
        closed(writeShape),
        '^[^\\s]+$',
      ),
      rules: {
        type: 'array',
        items: { type: ['string', 'object'] },
        title: 'a list of files or rules, like [rules/*.yaml]',
        description: 'Rule files, with a star for any part of a name, or rules in full.',
        default: [],
        examples: [['rules/*.yaml']],
      },
      roles: named(
        'Users by role, for actions that require a role, such as bypassing an interlock.',
        {
          type: 'array',
          items: { type: 'string', minLength: 1 },
          uniqueItems: true,
          description: 'Users of the operating system, as the command line names them.',
          examples: [['anna', 'ben']],
        },
      ),
      journal,
      sinks: named('Sinks, by name.', sink),
      control,
    },
    required: ['millrace', 'gateway'],
  };
}

/** What is checked of the whole before its links and sinks are looked at one by one. */
export const outerShape: Shape = rootShape(anyMap, anyMap);
