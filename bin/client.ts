import { connect } from 'node:net';
import { GatewayError } from '../gateway/contract/index.js';
import { exitCodeOf } from './exit.js';
import { CliError } from './output.js';
import { userName } from './user.js';

interface Reply {
  ok: boolean;
  result?: unknown;
  error?: { code: string; kind: Parameters<typeof exitCodeOf>[0]; message: string; advice: string };
}

/** Asks the running gateway; rejects with a CliError that carries the exit code. */
export function ask(
  socketPath: string,
  op: string,
  args: Readonly<Record<string, unknown>> = {},
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    let text = '';
    socket.setEncoding('utf8');
    socket.once('error', (error: NodeJS.ErrnoException) => {
      // Nobody there, or nobody that listens any more; everything else is the system's word.
      if (error.code !== 'ENOENT' && error.code !== 'ECONNREFUSED') {
        reject(error);
        return;
      }
      const absent = new GatewayError('daemon-absent', `no gateway answers on ${socketPath}`);
      reject(
        new CliError(
          absent.message,
          absent.advice,
          exitCodeOf(absent.kind, absent.code),
          absent.code,
        ),
      );
    });
    socket.once('connect', () => {
      socket.write(`${JSON.stringify({ id: 1, op, args, who: userName() })}\n`);
    });
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (!text.includes('\n')) return;
      socket.destroy();
      const reply = JSON.parse(text) as Reply;
      if (reply.ok) resolve(reply.result);
      else if (reply.error) {
        const { code, kind, message, advice } = reply.error;
        reject(new CliError(message, advice, exitCodeOf(kind, code), code));
      }
    });
    socket.once('close', () =>
      reject(new CliError('the gateway closed the connection', '', 4, 'daemon-absent')),
    );
  });
}
