import type { Expr, Fields } from '../fields.js';
import type { Sink } from '../problems.js';
import type { Base, Common } from './common.js';

export interface PermissiveDraft extends Common {
  readonly kind: 'permissive';
  readonly output: string | undefined;
  readonly conditions: readonly { readonly name: string; readonly expr: Expr }[];
}

export function readPermissive(f: Fields, base: Base, sink: Sink): PermissiveDraft {
  const output = f.text('output');
  const all = f.required('all_of', f.map('all_of'), 'all_of: {suction valve open: HV100.open_ls}');
  const conditions = all?.expressions() ?? [];
  if (all?.keys().length === 0) sink.report(['all_of'], 'all_of has no condition');
  const exprs = conditions.map((condition) => condition.expr);
  return { ...base, kind: 'permissive', output, conditions, exprs };
}
