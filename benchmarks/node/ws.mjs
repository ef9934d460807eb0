// One way to fan out in Node.js: the `ws` package. `node ws.mjs PORT REDIS_PORT PATTERN`
// A message on the Redis channel of a user goes, as it is, to every socket whose path ends in that user's name.
import Redis from "ioredis";
import { WebSocketServer } from "ws";

const [port, redisPort, pattern] = process.argv.slice(2);
const sockets = new Map();
const server = new WebSocketServer({ host: "127.0.0.1", port: Number(port), perMessageDeflate: false });

server.on("connection", (socket, request) => {
  const user = request.url.split("/").filter(Boolean).at(-1);
  const own = sockets.get(user) ?? new Set();
  sockets.set(user, own.add(socket));
  socket.on("close", () => {
    own.delete(socket);
    if (own.size === 0) sockets.delete(user);
  });
});

const redis = new Redis(Number(redisPort), "127.0.0.1");
redis.on("pmessage", (_, channel, text) => {
  for (const socket of sockets.get(channel.slice(pattern.length - 1)) ?? []) socket.send(text);
});
await redis.psubscribe(pattern);
console.log("ready");
