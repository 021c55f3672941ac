#!/usr/bin/env -S node --max-semi-space-size=4 --heap-growing-percent=40
import { processIo } from './cli/io.ts';
import { createProgram } from './cli/program.ts';

/** The entry. Everything else can be imported without anything happening. */
const io = processIo(process);
const code = await createProgram(io).run(process.argv.slice(2));
// What was written must have left before the process ends: stdout of a pipe is asynchronous.
await io.flush();
process.exit(code);
