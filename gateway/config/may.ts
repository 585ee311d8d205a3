/** What may be done through a control socket; each one includes those before it. */
export const mays = ['view', 'operate', 'engineer'] as const;
export type May = (typeof mays)[number];
