"""Tools for language models, over the Model Context Protocol (MCP) and its SDK, the extra `mcp`.

    tools       the tools: names, arguments, and the server of the SDK that has them
    endpoint    `/mcp`, streamable HTTP: the tools for the user of a request

The command `scanrill mcp` has the same tools on standard input and output. Only `tools` and the functions of
`endpoint` import the SDK: it takes three seconds, and servers without the extra do not have it.
"""
