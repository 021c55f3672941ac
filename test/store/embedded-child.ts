// A process of its own that starts the embedded server, so that tests can kill it or run it as another user.
// Arguments: options as JSON. Prints one JSON line when up (or failed), stops when its standard input ends.
import { createLog } from '../../src/runtime/log.ts';
import { startEmbeddedPostgres } from '../../src/store/embedded/start.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as {
  dataDir: string;
  durable: boolean;
  whenInUse?: 'share' | 'refuse';
  distribution?: string;
};
const log = createLog({ format: 'plain', level: 'debug', destination: process.stderr });
const say = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`);
try {
  const server = await startEmbeddedPostgres({ ...options, log });
  say({ pid: server.pid, url: server.url, shared: server.shared });
  process.stdin.resume();
  process.stdin.once('end', () => void server.stop().then(() => process.exit(0)));
} catch (error) {
  say({ failed: error instanceof Error ? error.message : 'unknown' });
}
