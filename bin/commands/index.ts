import type { Command } from 'commander';
import { alarms } from './alarms.js';
import { bypass } from './bypass.js';
import { config } from './config.js';
import { demo } from './demo.js';
import { learn } from './learn.js';
import { modbus } from './modbus.js';
import { model } from './model.js';
import { opcua } from './opcua.js';
import { read } from './read.js';
import { reload } from './reload.js';
import { reset } from './reset.js';
import { rules } from './rules.js';
import { run } from './run.js';
import { scan } from './scan.js';
import { schema } from './schema.js';
import { service } from './service.js';
import { shelve } from './shelve.js';
import { status } from './status.js';
import { tags } from './tags.js';
import { trace } from './trace.js';
import { validate } from './validate.js';
import { version } from './version.js';
import { why } from './why.js';
import { write } from './write.js';

/** All commands, in the order of the help. Each loads what it needs when it runs. */
export const commands: readonly ((program: Command) => void)[] = [
  demo,
  run,
  validate,
  config,
  learn,
  status,
  tags,
  read,
  write,
  alarms,
  why,
  rules,
  model,
  reset,
  bypass,
  shelve,
  service,
  reload,
  trace,
  scan,
  modbus,
  opcua,
  schema,
  version,
];
