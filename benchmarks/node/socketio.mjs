// The other way to fan out in Node.js: socket.io, a room for each user. `node socketio.mjs PORT REDIS_PORT PATTERN`
import { createServer } from "node:http";
import Redis from "ioredis";
import { Server } from "socket.io";

const [port, redisPort, pattern] = process.argv.slice(2);
const http = createServer();
const io = new Server(http, { transports: ["websocket"], serveClient: false });

io.on("connection", (socket) => socket.join(socket.handshake.query.user));

const redis = new Redis(Number(redisPort), "127.0.0.1");
redis.on("pmessage", (_, channel, text) => {
  io.to(channel.slice(pattern.length - 1)).emit("status", JSON.parse(text));
});
await redis.psubscribe(pattern);
http.listen(Number(port), "127.0.0.1", () => console.log("ready"));
