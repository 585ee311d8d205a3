/**
 * Mistakes in syntax, gateway and links: a piece of the good plant, what stands there instead, and everything that is said of it,
 * with the place after the name of the file.
 */
export const rows: readonly (readonly [from: string, to: string, said: readonly string[]])[] = [
  [
    'millrace: 1',
    'millrace: 2',
    ['1:11 millrace: this gateway reads version 1, not 2 — write millrace: 1'],
  ],
  ['millrace: 1\n', '', ['1:1 millrace: missing key "millrace" — write millrace: 1']],
  [
    'millrace: 1',
    'millrace: "1"',
    ['1:11 millrace: this gateway reads version 1, not "1" — write millrace: 1'],
  ],
  ['links:', '\tlinks:', ['3:1: a tab is used to indent — use spaces']],
  [
    'run: {',
    'run: &a {',
    ['14:19 links.bus.devices.FT101.tags.run: anchors (&a) are not used here — use a profile'],
  ],
  [
    'run: {',
    'run: *a #{',
    ['14:16 links.bus.devices.FT101.tags.run: aliases (*a) are not used here — write it out'],
  ],
  [
    'run: {',
    '<<: {',
    [
      '14:11 links.bus.devices.FT101.tags: merge keys (<<) are not used here — use a profile',
      '18:3 writes.FT101.run: no tag named "FT101.run" — did you mean "FT101"?',
    ],
  ],
  [
    'address: a:1,',
    'address: !x a:1,',
    [
      '14:30 links.bus.devices.FT101.tags.run.address: YAML tags (!…) are not used here — remove it',
    ],
  ],
  [
    'unit: 7',
    'unit: 7\n        unit: 8',
    [
      '11:9 links.bus.devices.FT101.unit: the key "unit" stands twice — the first is in line 10, column 9',
    ],
  ],
  [
    'unit: 7',
    'unit: [7',
    ['11:9: a [ or { is not closed — keys of one level begin in the same column'],
  ],
  ['sinks:', '---\nsinks:', ['21:1: a second document begins here — remove the ---']],
  [
    'value: 32 A',
    'value: ${x}',
    [
      '16:28: not valid YAML: Unexpected flow-map-start at node end — inside { } and [ ], put "${…}" in quotes',
    ],
  ],
  [
    'scale: 0.1',
    'scale: .nan',
    ['15:57 links.bus.devices.FT101.tags.speed.scale: .nan is not a number here'],
  ],
  [
    'scan: fast',
    'scna: fast',
    ['13:77 links.bus.devices.FT101.tags.flow.scna: unknown key "scna" — did you mean "scan"?'],
  ],
  [
    'endpoint',
    'endpiont',
    [
      '4:3 links.bus.endpoint: missing key "endpoint" — write endpoint: tcp://10.0.0.5:502',
      '6:5 links.bus.endpiont: unknown key "endpiont" — did you mean "endpoint"?',
    ],
  ],
  [
    'gateway: { id: ps01',
    'gateway: { name: ps01',
    [
      '2:1 gateway.id: missing key "id" — write id: ps01',
      '2:12 gateway.name: unknown key "name" — known keys: id, site, language, firstStart, state',
    ],
  ],
  ['sinks:', 'sink:', ['21:1 sink: unknown key "sink" — did you mean "sinks"?']],
  [
    'id: ps01',
    'id: 12',
    [
      '2:16 gateway.id: must be a name of letters, digits, "_", "." and "-", 64 at most, not 12 — write it like ps01',
    ],
  ],
  [
    'id: ps01',
    'id: p s',
    [
      '2:16 gateway.id: must be a name of letters, digits, "_", "." and "-", 64 at most, not "p s" — write it like ps01',
    ],
  ],
  [
    'site: works/north',
    'site: works//north',
    [
      '2:28 gateway.site: must be a path like waterworks/north, without + # and empty parts, not "works//north" — write it like waterworks/north/pump-station',
    ],
  ],
  [
    'site: works/north',
    'site: /works',
    [
      '2:28 gateway.site: must be a path like waterworks/north, without + # and empty parts, not "/works" — write it like waterworks/north/pump-station',
    ],
  ],
  [
    'site: works/north',
    'language: de',
    ['2:32 gateway.language: "de" is not known here — one of: en, zh'],
  ],
  [
    'fast: 500ms',
    'fast: 500',
    ['7:26 links.bus.scanClasses.fast: must be a duration, not 500 — add a unit: 500ms or 500s'],
  ],
  [
    'fast: 500ms',
    'fast: 500 sec',
    ['7:26 links.bus.scanClasses.fast: must be a duration, not "500 sec" — write it like 500ms'],
  ],
  [
    'fast: 500ms',
    'fast: 5ms',
    ['7:26 links.bus.scanClasses.fast: 5ms is shorter than the shortest period — use 20ms or more'],
  ],
  [
    'scan: fast',
    'scan: 500ms',
    [
      '13:83 links.bus.devices.FT101.tags.flow.scan: the link has no scan class "500ms" — name the class: scanClasses: { fast: 500ms } at the link, scan: fast here',
    ],
  ],
  [
    'scan: slow',
    'scan: slwo',
    [
      '15:81 links.bus.devices.FT101.tags.speed.scan: the link has no scan class "slwo" — did you mean "slow"?',
    ],
  ],
  [
    'driver: fake',
    'driver: fkae',
    ['5:13 links.bus.driver: no driver named "fkae" — did you mean "fake"?'],
  ],
  [
    'driver: fake',
    'driver:',
    ['5:12 links.bus.driver: must be a text, not nothing — write it like modbus'],
  ],
  [
    'tcp://10.0.0.5',
    'udp://10.0.0.5',
    ['6:15 links.bus.endpoint: this driver does not serve udp:// — it serves tcp://, sim://'],
  ],
  [
    'tcp://10.0.0.5',
    'constructor://10.0.0.5',
    [
      '6:15 links.bus.endpoint: this driver does not serve constructor:// — it serves tcp://, sim://',
    ],
  ],
  [
    'tcp://10.0.0.5',
    'tcp://:502',
    ['6:15 links.bus.endpoint: the endpoint names no host — write it like tcp://10.0.0.5:502'],
  ],
  [
    'tcp://10.0.0.5',
    '10.0.0.5',
    ['6:15 links.bus.endpoint: not an endpoint: 10.0.0.5 — write it like tcp://10.0.0.5:502'],
  ],
  [
    '      FT101:\n',
    '      9FT:\n',
    [
      '9:7 links.bus.devices.9FT: "9FT" is not a name — letters, digits, "_" and "-", beginning with a letter, 64 at most',
      '18:3 writes.FT101.run: no tag named "FT101.run" — tags are named DEVICE.tag',
      '19:3 writes.FT101.speed: no tag named "FT101.speed" — tags are named DEVICE.tag',
    ],
  ],
  [
    '      FT101:\n',
    '      rules:\n',
    [
      '9:7 links.bus.devices.rules: "rules" is the device of derived tags — choose another name',
      '18:3 writes.FT101.run: no tag named "FT101.run" — tags are named DEVICE.tag',
      '19:3 writes.FT101.speed: no tag named "FT101.speed" — tags are named DEVICE.tag',
    ],
  ],
  ['unit: 7', 'unit: x', ['10:15 links.bus.devices.FT101.unit: must be a whole number, not "x"']],
  ['unit: 7', 'unit: 13', ['10:15 links.bus.devices.FT101.unit: unlucky unit']],
  ['        unit: 7\n', '', ['9:7 links.bus.devices.FT101.unit: missing key "unit" — Unit.']],
  [
    'unit: 7',
    'unit: 7\n        retries: 3',
    [
      '11:9 links.bus.devices.FT101.retries: unknown key "retries" — known keys: profile, parameters, primary, tags, unit',
    ],
  ],
  [
    'primary: flow',
    'primary: flwo',
    ['11:18 links.bus.devices.FT101.primary: the device has no tag "flwo" — did you mean "flow"?'],
  ],
  [
    'address: a:100',
    'address: b:100',
    ['13:28 links.bus.devices.FT101.tags.flow.address: not an address: b:100 — use a:7'],
  ],
  [
    'address: a:100, ',
    '',
    ['13:11 links.bus.devices.FT101.tags.flow.address: missing key "address" — Address.'],
  ],
  [
    'type: float32',
    'type: flaot32',
    [
      '13:41 links.bus.devices.FT101.tags.flow.type: "flaot32" is not known here — did you mean "float32"?',
    ],
  ],
  [
    'type: float32, ',
    '',
    ['13:11 links.bus.devices.FT101.tags.flow.type: missing key "type" — write type: bool'],
  ],
  [
    'span: [0, 60]',
    'span: [60, 0]',
    ['13:68 links.bus.devices.FT101.tags.flow.span: the lower end comes first: [0, 60]'],
  ],
  [
    'span: [0, 60]',
    'span: [0]',
    [
      '13:68 links.bus.devices.FT101.tags.flow.span: must be two numbers, like [0, 60] — write it like [0, 60]',
    ],
  ],
  [
    'span: [0, 60]',
    'span: 60',
    [
      '13:68 links.bus.devices.FT101.tags.flow.span: must be two numbers, like [0, 60], not 60 — write it like [0, 60]',
    ],
  ],
  [
    'span: [0, 60], ',
    '',
    [
      '13:84 links.bus.devices.FT101.tags.flow.deadband: a percentage needs a span — add span: [0, 60], or give a number',
    ],
  ],
  [
    'deadband: 0.5 %',
    'deadband: 1 m3/h',
    [
      '13:99 links.bus.devices.FT101.tags.flow.deadband: must be a number in engineering units or a percentage, not "1 m3/h" — write it like 0.5 % or 0.2',
    ],
  ],
  [
    'deadband: 0.5 %',
    'deadband: -1',
    ['13:99 links.bus.devices.FT101.tags.flow.deadband: a deadband cannot be negative'],
  ],
  [
    'type: bool',
    'type: bool, scale: 2',
    ['14:44 links.bus.devices.FT101.tags.run.scale: a bool has no scale — leave it out'],
  ],
  [
    'type: bool',
    'type: bool, enum: { on: 1 }',
    [
      '14:52 links.bus.devices.FT101.tags.run.enum.on: "on" is not a name — keys are whole numbers, like 0: closed',
    ],
  ],
  [
    'type: float32',
    'type: float32, enum: { 1: on }',
    [
      '13:50 links.bus.devices.FT101.tags.flow.enum: a float32 has no enum — use an integer or bool type',
    ],
  ],
  [
    'scale: 0.1',
    'scale: 0',
    ['15:57 links.bus.devices.FT101.tags.speed.scale: a scale of 0 makes every value the same'],
  ],
  [
    'scale: 0.1',
    'scale: "0.1"',
    [
      '15:57 links.bus.devices.FT101.tags.speed.scale: must be a number, not "0.1" — write it like 0.1',
    ],
  ],
  [
    'scale: 0.1',
    'stale: 1s',
    [
      '15:57 links.bus.devices.FT101.tags.speed.stale: every value would be stale before the next scan (10000ms) — leave it out for three periods',
    ],
  ],
  [
    'value: 32 A',
    'value: abc',
    [
      '16:27 links.bus.devices.FT101.tags.rated.value: must be a number, true or false, or a quantity, not "abc"',
    ],
  ],
  [
    'value: 32 A',
    'value: 32 A, address: a:9',
    [
      '16:33 links.bus.devices.FT101.tags.rated.address: unknown key "address" — known keys: value, type, unit, description, enum',
    ],
  ],
  [
    'value: 32 A',
    'value: 32 A, unit: V',
    ['16:27 links.bus.devices.FT101.tags.rated.value: is in A, but unit says V'],
  ],
  [
    'value: 32 A',
    'value: true, type: uint16',
    [
      '16:39 links.bus.devices.FT101.tags.rated.type: uint16 does not fit the value — leave it out, or write bool',
    ],
  ],
  [
    'value: 32 A',
    'value: [1]',
    [
      '16:27 links.bus.devices.FT101.tags.rated.value: must be a number, true or false, or a quantity like 32 A, not a list — write it like 32 A',
    ],
  ],
];
