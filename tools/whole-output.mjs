// For node --import: what a process has written is read to the end though it ends itself. Each test file tells its results
// to the runner through a socket, where what does not fit waits for a turn of the event loop; --test-force-exit does not
// give it one, and the last results of a file were missing from the report and its sums
// (https://github.com/nodejs/node/issues/64833).
process.stdout._handle?.setBlocking?.(true);
