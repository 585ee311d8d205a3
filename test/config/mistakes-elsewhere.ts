/**
 * Mistakes in writes, rules, journal and sinks: a piece of the good plant, what stands there instead, and everything that is said of it,
 * with the place after the name of the file.
 */
export const rows: readonly (readonly [from: string, to: string, said: readonly string[]])[] = [
  [
    'FT101.run: {',
    'FT101.runn: {',
    ['18:3 writes.FT101.runn: no tag named "FT101.runn" — did you mean "FT101.run"?'],
  ],
  [
    'FT101.run: {',
    'FT101.rated: {',
    ['18:3 writes.FT101.rated: FT101.rated is a constant and cannot be written'],
  ],
  ['FT101.run: {', 'Q.x: {', ['18:3 writes.Q.x: no tag named "Q.x" — tags are named DEVICE.tag']],
  [
    '[rules, operator]',
    '[rule, operator]',
    ['18:24 writes.FT101.run.allow[0]: "rule" is not known here — did you mean "rules"?'],
  ],
  [
    '[rules, operator]',
    'rules',
    ['18:23 writes.FT101.run.allow: must be a list, not "rules" — write it as a list: [rules]'],
  ],
  [
    '[rules, operator]',
    '[]',
    ['18:23 writes.FT101.run.allow: must not be empty — write it like [rules, operator]'],
  ],
  [
    '[rules, operator]',
    '[rules, rules]',
    ['18:23 writes.FT101.run.allow: the same item stands twice'],
  ],
  [
    '[rules, operator] }',
    '[rules], range: [0, 1] }',
    ['18:32 writes.FT101.run.range: a bool has no range — leave it out'],
  ],
  [
    'range: [0, 80]',
    'range: [80, 0]',
    ['19:44 writes.FT101.speed.range: the lower end comes first: [0, 80]'],
  ],
  [
    '5 m/min per s',
    '5 m/s per s',
    [
      '19:59 writes.FT101.speed.rate: the rate is in m/s, but FT101.speed is in m/min — write it in m/min',
    ],
  ],
  [
    '5 m/min per s',
    'fast',
    [
      '19:59 writes.FT101.speed.rate: must be a rate, not "fast" — write it like 5 m/min per s, or 5',
    ],
  ],
  [
    '5 m/min per s',
    '0',
    ['19:59 writes.FT101.speed.rate: must be more than 0 — leave it out for any rate'],
  ],
  [
    'expect: true',
    'verify: { by: FT101.run }',
    ['19:88 writes.FT101.speed.verify.by: FT101.run is a bool, but FT101.speed is a uint16'],
  ],
  [
    'expect: true',
    'verify: { by: FT101.rated }',
    ['19:88 writes.FT101.speed.verify.by: FT101.rated is a constant and shows nothing'],
  ],
  [
    'expect: true',
    'verify: { by: FT101.rum, within: 0s }',
    [
      '19:88 writes.FT101.speed.verify.by: no tag named "FT101.rum" — did you mean "FT101.run"?',
      '19:107 writes.FT101.speed.verify.within: must be longer than 0',
    ],
  ],
  [
    'expect: true',
    'expect: yes',
    ['19:82 writes.FT101.speed.expect: must be true or false, not "yes" — write it like true'],
  ],
  [
    '  FT101.run: {',
    '  FT101: { allow: [cloud], range: [0, 1] }\n  FT101.flow: {',
    [
      '19:3 writes.FT101.flow: FT101.flow stands here already — a device name stands for its primary tag',
      '19:15 warning: writes.FT101.flow: no range: any value of the type may be written — add range: [LOW, HIGH]',
    ],
  ],
  [
    '[rules/*.yaml]',
    '[rule/*.yaml]',
    ['20:9 rules[0]: no file matches rule/*.yaml — looked for /rule/*.yaml'],
  ],
  [
    '[rules/*.yaml]',
    'rules/*.yaml',
    [
      '20:8 rules: must be a list of files or rules, like [rules/*.yaml], not "rules/*.yaml" — write it as a list: [rules/*.yaml]',
    ],
  ],
  [
    '[rules/*.yaml]',
    '[rules/x.yaml]',
    [
      '20:9 rules[0]: cannot read /rules/x.yaml: there is no such file — check path and permissions',
    ],
  ],
  ['[rules/*.yaml]', '[7]', ['20:9 rules[0]: must be a text or a map of keys, not 7']],
  [
    'sinks:',
    'journal: { size: 1MiB, freeDisk: 95 %, age: 0d, window: 5ms }\nsinks:',
    [
      '21:18 journal.size: 1MiB is too small for a journal — use 8MiB or more',
      '21:34 journal.freeDisk: no room is left for the journal — use 90 % or less',
      '21:45 journal.age: must be longer than 0',
      '21:57 journal.window: 5ms is out of range — use 100ms to 60s',
    ],
  ],
  [
    'sinks:',
    'journal: { size: 64, history: 7d }\nsinks:',
    [
      '21:18 journal.size: must be a size like 512MiB, not 64 — write it like 512MiB',
      '21:31 journal.history: must be a map of keys, not "7d"',
    ],
  ],
  [
    'sinks:',
    'control: { socket: /xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx }\nsinks:',
    [
      '21:20 control.socket: the path of the socket is too long: 101 bytes, at most 100 — write control: { socket: /run/millrace/control.sock }',
    ],
  ],
  [
    'type: mqtt',
    'type: sparkplug',
    ['23:11 sinks.cloud.type: Sparkplug is not available in this version yet — use type: mqtt'],
  ],
  [
    'type: mqtt',
    'type: mqt',
    ['23:11 sinks.cloud.type: "mqt" is not known here — did you mean "mqtt"?'],
  ],
  [
    'mqtts://broker.example:8883',
    'http://x',
    [
      '24:10 sinks.cloud.url: not the URL of a broker: "http://x" — write it like mqtts://broker.example:8883 or wss://broker.example/mqtt; mqtt:// and ws:// are not encrypted',
    ],
  ],
  [
    'mqtts://broker.example:8883',
    'mqtts://x/path',
    [
      '24:10 sinks.cloud.url: not the URL of a broker: "mqtts://x/path" — write it like mqtts://broker.example:8883 or wss://broker.example/mqtt; mqtt:// and ws:// are not encrypted',
    ],
  ],
  [
    'mqtts://broker.example:8883',
    'wss://x:0/mqtt',
    [
      '24:10 sinks.cloud.url: not the URL of a broker: "wss://x:0/mqtt" — write it like mqtts://broker.example:8883 or wss://broker.example/mqtt; mqtt:// and ws:// are not encrypted',
    ],
  ],
  [
    'mqtts://broker.example:8883',
    'wss://x:70000',
    [
      '24:10 sinks.cloud.url: not the URL of a broker: "wss://x:70000" — write it like mqtts://broker.example:8883 or wss://broker.example/mqtt; mqtt:// and ws:// are not encrypted',
    ],
  ],
  [
    'mqtts://broker.example:8883',
    'ws://x/a b',
    [
      '24:10 sinks.cloud.url: not the URL of a broker: "ws://x/a b" — write it like mqtts://broker.example:8883 or wss://broker.example/mqtt; mqtt:// and ws:// are not encrypted',
    ],
  ],
  [
    'mqtts://broker.example:8883',
    'mqtts:x',
    [
      '24:10 sinks.cloud.url: not the URL of a broker: "mqtts:x" — write it like mqtts://broker.example:8883 or wss://broker.example/mqtt; mqtt:// and ws:// are not encrypted',
    ],
  ],
  [
    'mqtts://broker.example:8883',
    'wsss://x',
    [
      '24:10 sinks.cloud.url: not the URL of a broker: "wsss://x" — write it like mqtts://broker.example:8883 or wss://broker.example/mqtt; mqtt:// and ws:// are not encrypted',
    ],
  ],
  [
    'mqtts://broker.example:8883',
    'ws://x/mqtt\n    tls: {}',
    ['24:10 sinks.cloud.url: tls is given, but the URL is not encrypted — write wss://'],
  ],
  [
    'mqtts://broker.example:8883',
    'wss://x/mqtt\n    tls: { serverName: "10.0.0.7" }',
    [
      '25:24 sinks.cloud.tls.serverName: "10.0.0.7" is not the name of a host — write the name as the certificate has it, like broker.example; an address belongs into the URL',
    ],
  ],
  [
    'mqtts://broker.example:8883',
    'wss://x/mqtt\n    tls: { serverName: "a b" }',
    [
      '25:24 sinks.cloud.tls.serverName: "a b" is not the name of a host — write the name as the certificate has it, like broker.example; an address belongs into the URL',
    ],
  ],
  [
    'mqtts://broker.example:8883',
    'wss://x/mqtt\n    tls: { serverName: "x..y" }',
    [
      '25:24 sinks.cloud.tls.serverName: "x..y" is not the name of a host — write the name as the certificate has it, like broker.example; an address belongs into the URL',
    ],
  ],
  [
    'mqtts://broker.example:8883',
    'wss://x/mqtt\n    tls: { serverName: "[::1]" }',
    [
      '25:24 sinks.cloud.tls.serverName: "[::1]" is not the name of a host — write the name as the certificate has it, like broker.example; an address belongs into the URL',
    ],
  ],
  [
    'mqtts://broker.example:8883',
    'mqtts://u:geheim@x',
    [
      '24:10 sinks.cloud.url: not the URL of a broker: "…@x" — user and password have keys of their own: username, password',
    ],
  ],
  [
    'mqtts://broker.example:8883',
    '[]',
    [
      '24:10 sinks.cloud.url: must be a URL like mqtts://broker.example:8883, or a list of them — write it like mqtts://broker.example:8883',
    ],
  ],
  [
    'mqtts://broker.example:8883',
    'mqtt://x\n    tls: { ca: none.pem, cert: c }',
    [
      '24:10 sinks.cloud.url: tls is given, but the URL is not encrypted — write mqtts://',
      '25:16 sinks.cloud.tls.ca: cannot read /none.pem: there is no such file — check path and permissions',
      '25:26 sinks.cloud.tls.cert: cert without key — add key:',
      '25:32 sinks.cloud.tls.cert: cannot read /c: there is no such file — check path and permissions',
    ],
  ],
  [
    'type: mqtt',
    'type: mqtt\n    root: a/+/b',
    [
      '24:11 sinks.cloud.root: not a topic: + and # are for subscriptions — write it like edge/{gateway.id}',
    ],
  ],
  [
    'type: mqtt',
    'type: mqtt\n    root: "{gateway.nam}/{"',
    [
      '24:11 sinks.cloud.root: unknown placeholder {gateway.nam} — there are: gateway.id, gateway.site, sink',
    ],
  ],
  [
    'type: mqtt',
    'type: mqtt\n    root: /a',
    [
      '24:11 sinks.cloud.root: not a topic: a level between two / is empty — write it like edge/{gateway.id}',
    ],
  ],
  [
    'type: mqtt',
    'type: mqtt\n    password: 1234567',
    [
      '24:15 sinks.cloud.password: must be a text, not what stands here (not shown) — write it like "${secret:cloud-password}"',
    ],
  ],
  [
    'type: mqtt',
    'type: mqtt\n    password: "${secret:nope}"',
    [
      '24:15 sinks.cloud.password: the secret "nope" is not provided — see "Secrets" in docs/configuration.md',
    ],
  ],
  [
    'type: mqtt',
    'type: mqtt\n    password: "${sercet:nope}"',
    ['24:15 sinks.cloud.password: unknown placeholder "${sercet:nope}" — did you mean "secret"?'],
  ],
  [
    'type: mqtt',
    'type: mqtt\n    history: { rate: 50 }',
    [
      '24:22 sinks.cloud.history.rate: must be a number a second like 50/s, not 50 — write it like 50/s',
    ],
  ],
  [
    'type: mqtt',
    'type: mqtt\n    commands: { allow: [raed] }',
    ['24:25 sinks.cloud.commands.allow[0]: "raed" is not known here — did you mean "read"?'],
  ],
  [
    'type: mqtt',
    'type: mqtt\n    keepAlive: 1ms',
    ['24:16 sinks.cloud.keepAlive: is out of range — use 1s to 18h'],
  ],
  ['type: mqtt', 'type: mqtt\n    version: 5', []],
  [
    'type: mqtt',
    'type: mqtt\n    version: 4',
    ['24:14 sinks.cloud.version: 4 is not known here — did you mean "5"?'],
  ],
  [
    'id: ps01',
    'id: "${secret:x}"',
    ['2:16 gateway.id: secrets are filled in under links and sinks only'],
  ],
  [
    'rules: [',
    'include: [p.yaml]\nrules: [',
    ['20:11 include[0]: /p.yaml includes itself — /p.yaml → /p.yaml'],
  ],
  [
    'rules: [',
    'include: none.yaml\nrules: [',
    ['20:10 include: must be a list of files — write include: [links/north.yaml]'],
  ],
  [
    'rules: [',
    'include: [none.yaml]\nrules: [',
    [
      '20:11 include[0]: cannot read /none.yaml: there is no such file — check path and permissions',
    ],
  ],
  [
    '        unit: 7',
    '        unit: 7\n        parameters: { a: 1 }',
    ['11:9 links.bus.devices.FT101.parameters: parameters without a profile'],
  ],
  [
    'type: mqtt',
    'type: mqtt\n    username: 007',
    ['24:15 sinks.cloud.username: must be a text, not 007 — put it in quotes: "007"'],
  ],
  [
    'type: mqtt',
    'type: mqtt\n    username: 1e3',
    ['24:15 sinks.cloud.username: must be a text, not 1e3 — put it in quotes: "1e3"'],
  ],
  [
    'type: mqtt',
    'type: mqtt\n    username: TRUE',
    ['24:15 sinks.cloud.username: must be a text, not TRUE — put it in quotes: "TRUE"'],
  ],
  [
    'rules: [rules/*.yaml]',
    'rules: 0o17',
    [
      '20:8 rules: must be a list of files or rules, like [rules/*.yaml], not 0o17 — write it as a list: [0o17]',
    ],
  ],
  [
    'slow: 10s',
    'slow: 0x10',
    ['7:39 links.bus.scanClasses.slow: must be a duration, not 0x10 — write it like 500ms'],
  ],
];
