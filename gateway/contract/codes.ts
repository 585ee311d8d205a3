/** The category of a failure. The kind alone decides the reaction of the gateway. */
export type ErrorKind =
  'config' | 'link' | 'timeout' | 'device' | 'protocol' | 'auth' | 'limit' | 'denied' | 'bug';

/**
 * Every error code of the gateway: its kind and what the operator should do.
 * `docs/errors.md` lists the same codes; a test compares the two.
 */
export const errorCodes = {
  'config-invalid': ['config', 'The configuration has problems; run `millrace validate FILE`.'],
  'config-unreadable': ['config', 'The file cannot be read; check its path and permissions.'],
  'secret-missing': [
    'config',
    'A secret is referenced but not provided; see docs/configuration.md.',
  ],
  'driver-unknown': [
    'config',
    'No driver of that name, or one that cannot be loaded; check the spelling or install its package.',
  ],
  'link-refused': [
    'link',
    'The device refused the connection; check address, port and its limits.',
  ],
  'link-unreachable': [
    'link',
    'The device cannot be reached; check cable, power, address and route.',
  ],
  'link-closed': ['link', 'The device closed the connection; the gateway reconnects by itself.'],
  'link-closing': ['link', 'The link is being closed by the gateway.'],
  'request-timeout': [
    'timeout',
    'No answer in time; check the unit id, the line and the time-out.',
  ],
  'connect-timeout': [
    'timeout',
    'No connection in time; check cable, power, address and firewall.',
  ],
  aborted: ['timeout', 'The operation was cancelled.'],
  'driver-died': [
    'link',
    'The thread of the driver ended; the gateway starts it again. See the log for why.',
  ],
  'driver-failed': [
    'bug',
    'A driver that does not come with the gateway has a defect; report it to its maker.',
  ],
  'subscription-silent': [
    'link',
    'The device accepted a subscription and tells nothing; the gateway reconnects by itself.',
  ],
  'device-refused': [
    'device',
    'The device refused the request; check address and type of the tag.',
  ],
  'device-busy': ['device', 'The device is busy or failed; check the device.'],
  'bad-frame': [
    'protocol',
    'The bytes are not an answer to what was asked; the link is re-opened.',
  ],
  'auth-failed': ['auth', 'User, password or certificate was refused; check the credentials.'],
  'certificate-refused': [
    'auth',
    'A certificate is not trusted or not valid; see `millrace opcua certs`.',
  ],
  'too-many': ['limit', 'A bound of the gateway was reached; see docs/limits.md.'],
  'not-now': [
    'limit',
    'The broker does not take this topic now; it is kept and tried again. Allow it in the ACL or the quota of the broker.',
  ],
  'check-failed': [
    'limit',
    'The configuration is too large for this machine, or a driver hangs; the running one stays.',
  ],
  'half-down': [
    'limit',
    'The part of the gateway that stores and talks is being restarted; try again in a moment.',
  ],
  'too-large': ['limit', 'The message is larger than the receiver allows.'],
  'disk-full': ['limit', 'The journal has no space; free some or lower `journal.size`.'],
  'not-writable': ['denied', 'The tag is not writable; allow it under `writes:`.'],
  'not-permitted': ['denied', 'This source may not do that; see `allow:` of the tag.'],
  'out-of-range': ['denied', 'The value is outside the permitted range.'],
  'does-not-fit': [
    'denied',
    'The type of the tag cannot hold the value; see its type, scale and offset.',
  ],
  'rate-limited': [
    'denied',
    'Too large a change since the last write, or the present value is not known; see `rate:` of the tag.',
  ],
  'held-by-rule': ['denied', 'A trip or an interlock holds this output; see `millrace why`.'],
  'not-connected': ['denied', 'The device is not connected; nothing is queued for later.'],
  'not-verified': ['device', 'The device acknowledged, but did not do it; check the device.'],
  'not-as-expected': [
    'denied',
    'The tag holds another value by now; read it again and decide anew.',
  ],
  'reset-refused': ['denied', 'It is not tripped, or its cause still stands; see `millrace why`.'],
  'unknown-name': ['denied', 'No such tag, rule or alarm; names are case-sensitive.'],
  'bad-request': ['denied', 'The request is malformed.'],
  'no-record': [
    'denied',
    'Trips are on record from a minute before to half a minute after (`why RULE --trips`); `rules replay FILE --why RULE --at TIME` asks the samples on disk.',
  ],
  'daemon-absent': [
    'link',
    'No gateway answers on the control socket; start it with `millrace run`.',
  ],
  'audit-failed': [
    'limit',
    'The audit record cannot be stored; commands are refused until it can.',
  ],
  'journal-corrupt': [
    'limit',
    'A journal file was damaged; it was set aside, a new one is in use.',
  ],
  'journal-io': ['limit', 'The disk gave an error; the journal retries. Check the disk.'],
  'broker-lost': ['link', 'The MQTT broker is not reachable; data are kept in the journal.'],
  'system-refused': [
    'limit',
    'The operating system refused: permission, space, descriptors, memory; see the message.',
  ],
  internal: ['bug', 'A defect of the gateway; please report it with the log.'],
} as const;

export type ErrorCode = keyof typeof errorCodes;
