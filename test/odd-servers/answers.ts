import {
  CallResponse,
  ConstantStatusCode,
  ReadResponse,
  ServiceFault,
  StatusCodes,
  Variant,
  type StatusCode,
} from 'node-opcua';
import type { Answer, Twist } from './interposer.js';

/** What a server may make of its answer, whatever the service. */
export interface AnswerOddity {
  readonly what: string;
  /** The report, or the part of the standard, that it comes from. */
  readonly from: string;
  /** What is said of the device, or the link, for as long as it lasts; nothing: it need not be told. */
  readonly said?: RegExp;
  /** Nothing that is told is to be doubted. */
  readonly isHarmless?: true;
  /** The server says by it that the session, or the channel, is at an end: everybody of the link is concerned. */
  readonly endsSession?: true;
  /** The service takes its time: it is given more of it than a request. */
  readonly isSlow?: true;
  /** The server has done it, and nobody is told its id. */
  readonly hidesWhatWasMade?: true;
  /** Only answers with a list of results. */
  readonly onLists?: true;
  readonly twist: Twist;
}

/** Every status that is bad, by name. */
export const badCodes: readonly string[] = Object.keys(StatusCodes)
  .filter((name) => /^Bad[A-Z]/.test(name) && codeOf(name) !== undefined)
  .sort();

function codeOf(name: string): StatusCode | undefined {
  const code = (StatusCodes as unknown as Readonly<Record<string, StatusCode | undefined>>)[name];
  return typeof code?.value === 'number' ? code : undefined;
}

const unknownCode = new ConstantStatusCode({
  name: 'Unheard',
  value: 0x80fe_0000,
  description: 'of no standard',
});

/** By these a server says that it knows the session, the subscription or the channel no more. */
const ends =
  /^Bad(Session(IdInvalid|Closed|NotActivated)|SecureChannel|SecurityChecksFailed|Tcp|Connection(Closed|Rejected)|ServerHalted|Shutdown|NoSubscription$|SubscriptionIdInvalid)/;

/** The whole service is refused. */
export function fault(name: string): AnswerOddity {
  return {
    what: `a fault: ${name}`,
    from: 'OPC 10000-4, 7.34',
    said: new RegExp(name),
    ...(ends.test(name) ? { endsSession: true as const } : {}),
    twist: (answer) => faultOf(answer, codeOf(name)),
  };
}

/** Each item is refused. */
export function refusedEach(name: string): AnswerOddity {
  return {
    what: `each item: ${name}`,
    from: 'OPC 10000-4, 7.38.2',
    said: name === 'BadNoMatch' ? /no such node|BadNoMatch/ : new RegExp(name),
    onLists: true,
    twist: (answer) => withResults(answer, (results) => results.map((one) => refused(one, name))),
  };
}

export const answerOddities: readonly AnswerOddity[] = [
  {
    what: 'one answer too few',
    from: 'OPC 10000-4, 5.11.2: as many as there were items',
    said: /answers for \d+ of \d+/,
    onLists: true,
    twist: (answer) => withResults(answer, (results) => results.slice(1)),
  },
  {
    what: 'one answer too many',
    from: 'OPC 10000-4, 5.11.2: as many as there were items',
    said: /answers for \d+ of \d+/,
    onLists: true,
    twist: (answer) => withResults(answer, (results) => [...results.slice(-1), ...results]),
  },
  {
    what: 'no list at all',
    from: 'OPC 10000-6, 5.2.5: a list may be null',
    said: /answers for 0 of \d+|no answer|did not answer/,
    onLists: true,
    twist: (answer) => withResults(answer, () => null),
  },
  {
    what: 'an empty list',
    from: 'OPC 10000-6, 5.2.5',
    said: /answers for 0 of \d+|no answer|did not answer/,
    onLists: true,
    twist: (answer) => withResults(answer, () => []),
  },
  {
    what: 'no answer',
    from: 'OPC 10000-4, 7.32: timeoutHint',
    said: /timeout|no connection within/i,
    isSlow: true,
    twist: () => 'nothing',
  },
  {
    what: 'an answer that comes too late',
    from: 'OPC 10000-4, 7.32: timeoutHint',
    said: /timeout/i,
    isSlow: true,
    twist: () => ({ laterMs: 900 }),
  },
  {
    what: 'each answer twice',
    from: 'OPC 10000-6, 6.7.2: a request id is answered once',
    isHarmless: true,
    twist: () => 'twice',
  },
  {
    what: 'the answer of another service',
    from: 'OPC 10000-4, 5.3',
    said: /the answer is that of another service|answers for 0 of/,
    hidesWhatWasMade: true,
    twist: (answer) => {
      const Other = answer.schema.name === 'ReadResponse' ? CallResponse : ReadResponse;
      return new Other({ responseHeader: answer.responseHeader as object });
    },
  },
  {
    what: 'a status that no standard knows',
    from: 'OPC 10000-6, A.2',
    said: /Bad|0x80fe0000/i,
    twist: (answer) => faultOf(answer, unknownCode),
  },
  {
    what: 'no time in the header',
    from: 'OPC 10000-4, 7.33',
    isHarmless: true,
    twist: (answer) => withHeader(answer, { timestamp: null }),
  },
  {
    what: 'the year 1601 in the header',
    from: 'OPC 10000-4, 7.33; a clock that was never set',
    isHarmless: true,
    twist: (answer) => withHeader(answer, { timestamp: new Date(Date.UTC(1601, 0, 1)) }),
  },
  {
    what: 'the year 2099 in the header',
    from: 'OPC 10000-4, 7.33; a clock that was set wrong',
    isHarmless: true,
    twist: (answer) => withHeader(answer, { timestamp: new Date(Date.UTC(2099, 0, 1)) }),
  },
  {
    what: 'another request handle in the header',
    from: 'OPC 10000-4, 7.33: it is for the client alone',
    isHarmless: true,
    twist: (answer) => withHeader(answer, { requestHandle: 4_711 }),
  },
];

function withHeader(answer: Answer, header: Partial<Answer['responseHeader']>): Answer {
  Object.assign(answer.responseHeader, header);
  // Not the same object: it counts as twisted.
  return Object.assign(Object.create(Object.getPrototypeOf(answer) as object) as Answer, answer);
}

function withResults(
  answer: Answer,
  change: (results: readonly unknown[]) => unknown[] | null,
): Answer {
  const twin = withHeader(answer, {});
  twin.results = change(answer.results ?? []);
  return twin;
}

function refused(result: unknown, name: string): unknown {
  const statusCode = codeOf(name);
  if (typeof result !== 'object' || result === null || !('statusCode' in result)) return statusCode;
  const twin = Object.assign(
    Object.create(Object.getPrototypeOf(result) as object) as object,
    result,
    {
      statusCode,
    },
  );
  if ('value' in twin) Object.assign(twin, { value: new Variant() });
  return twin;
}

function faultOf({ responseHeader }: Answer, serviceResult: unknown): Answer {
  return new ServiceFault({
    responseHeader: { ...responseHeader, serviceResult } as object,
  });
}
