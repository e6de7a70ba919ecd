// A Bot API emulator that others wrote, on a free port: prints its address, and ends with its input.
import { createServer } from "node:net";
import emulator from "telegram-test-api";

const Server = emulator.default ?? emulator.TelegramServer ?? emulator;

/** A port that is free now. */
function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

const port = await freePort();
const server = new Server({ port, host: "127.0.0.1", storage: "RAM", storeTimeout: 3600 });
await server.start();
console.log(`http://127.0.0.1:${port}`);

const stop = async () => {
  await server.stop();
  process.exit(0);
};
process.stdin.resume();
process.stdin.once("end", stop);
process.stdin.once("close", stop);
