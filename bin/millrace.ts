#!/usr/bin/env node
// The rest is loaded when the version is known: what an old one cannot read, it refuses with a syntax error somewhere in a
// library. What is here, and what it imports, is as old as Node 14.
import { troubleOf } from '../gateway/host/errno.js';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major > 20 || (major === 20 && minor >= 19)) import('./main.js').catch(cannotLoad);
else
  refuse(
    `this needs Node 20.19 or later, and runs on ${process.versions.node}`,
    'Install a newer one: https://nodejs.org, or the package of your system.',
  );

function cannotLoad(error: unknown): void {
  const trouble = troubleOf(error);
  if (trouble) refuse(trouble.text, trouble.advice, 7);
  else refuse(`internal: ${String(error)}`, 'Please report it.', 1);
}

function refuse(message: string, advice: string, exitCode = 2): void {
  process.stderr.write(`millrace: ${message}\n  ${advice}\n`);
  process.exitCode = exitCode;
}
