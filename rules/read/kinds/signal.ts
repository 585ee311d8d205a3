import type { Expr, Fields } from '../fields.js';
import { present, type Base, type Common } from './common.js';

export interface SignalDraft extends Common {
  readonly kind: 'signal';
  readonly value: Expr | undefined;
  readonly valid: Expr | undefined;
  readonly unit: string | undefined;
  readonly type: 'bool' | 'number' | undefined;
}

export function readSignal(f: Fields, base: Base): SignalDraft {
  const value = f.required('value', f.expression('value'), 'value: PT105 - PT104');
  const valid = f.expression('valid');
  const unit = f.text('unit');
  const type = f.choice('type', ['bool', 'number']);
  return { ...base, kind: 'signal', value, valid, unit, type, exprs: present([value, valid]) };
}
