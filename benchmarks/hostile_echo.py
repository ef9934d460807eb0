"""Echo server of `hostile.py`: a server without work, which shows what the scheduler of the machine costs.

.venv/bin/python -m benchmarks.hostile_echo
"""

import asyncio


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back each byte until the end of the connection."""
    while data := await reader.read(1):
        writer.write(data)
    writer.close()


async def main() -> None:
    """Print the port, and serve until the process is ended."""
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
